using System.Buffers;
using System.Text;
using System.Xml;

namespace CalSync.Lab.Bench.Sync;

/// <summary>What a REPORT asks for.</summary>
/// <param name="Root">Its local name, such as <c>calendar-multiget</c>.</param>
/// <param name="Hrefs">As written.</param>
/// <param name="SyncToken">Empty when it names none.</param>
/// <param name="WithData">Whether contents are wanted.</param>
internal sealed record NullReport(string Root, IReadOnlyList<string> Hrefs, string SyncToken, bool WithData)
{
    /// <summary>Reads a body.</summary>
    public static NullReport Read(byte[] body)
    {
        var (root, token, withData) = ("", "", false);
        List<string> hrefs = [];
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit };
        using var reader = XmlReader.Create(new MemoryStream(body), settings);
        while (reader.Read())
        {
            if (reader.NodeType != XmlNodeType.Element)
                continue;
            switch (reader.LocalName)
            {
                case var name when root.Length == 0:
                    root = name;
                    break;
                case "href":
                    hrefs.Add(Text(reader));
                    break;
                case "sync-token":
                    token = Text(reader);
                    break;
                case "calendar-data":
                    withData = true;
                    break;
            }
        }

        return new NullReport(root, hrefs, token, withData);
    }

    private static string Text(XmlReader reader) =>
        !reader.IsEmptyElement && reader.Read() && reader.NodeType == XmlNodeType.Text
            ? reader.Value.Trim() : "";
}

/// <summary>A multistatus as it is written.</summary>
internal sealed class NullXml
{
    private const string Head =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:multistatus xmlns:D=\"DAV:\" "
        + "xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:S=\"http://calendarserver.org/ns/\">";

    private readonly ArrayBufferWriter<byte> _octets = new(64 * 1024);

    public NullXml() => Add(Head);

    /// <summary>The text as it may stand in an element; a carriage return survives as a reference
    /// only.</summary>
    public static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\r", "&#13;", StringComparison.Ordinal);

    /// <summary>The whole.</summary>
    public byte[] End()
    {
        Add("</D:multistatus>");
        return _octets.WrittenSpan.ToArray();
    }

    /// <summary>Adds text as it stands.</summary>
    public NullXml Add(string xml)
    {
        Encoding.UTF8.GetBytes(xml, _octets);
        return this;
    }

    /// <summary>Adds a row without properties.</summary>
    public NullXml Missing(string href) => Add(
        $"<D:response><D:href>{Escape(href)}</D:href><D:status>HTTP/1.1 404 Not Found</D:status>"
        + "</D:response>");

    /// <summary>Adds a row with what properties say.</summary>
    public NullXml Row(string href, string properties) => Add(
        $"<D:response><D:href>{Escape(href)}</D:href><D:propstat><D:prop>{properties}</D:prop>"
        + "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>");

    /// <summary>Adds a resource's row.</summary>
    public void Resource(string href, NullResource resource, bool withData)
    {
        Add($"<D:response><D:href>{Escape(href)}</D:href><D:propstat><D:prop><D:getetag>{resource.ETag}")
            .Add("</D:getetag><D:getcontenttype>text/calendar; charset=utf-8; component=VEVENT")
            .Add("</D:getcontenttype><D:resourcetype/>");
        if (withData)
        {
            Add("<C:calendar-data>");
            _octets.Write(resource.Escaped);
            Add("</C:calendar-data>");
        }

        Add("</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>");
    }
}
