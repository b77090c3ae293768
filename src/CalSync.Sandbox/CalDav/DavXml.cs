using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace CalSync.Sandbox.CalDav;

/// <summary>Reads bodies that anyone may have sent, and writes answers in one of two styles.</summary>
internal static class DavXml
{
    private const int DepthMax = 32;

    private static readonly XmlReaderSettings Reading = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersFromEntities = 0,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
    };

    /// <summary>The root element; null when the body is no XML, has a DTD, or is nested too deeply.</summary>
    public static XElement? Parse(byte[] octets)
    {
        try
        {
            using var probe = XmlReader.Create(new MemoryStream(octets), Reading);
            while (probe.Read())
            {
                if (probe.Depth > DepthMax)
                    return null;
            }

            using var reader = XmlReader.Create(new MemoryStream(octets), Reading);
            return XDocument.Load(reader).Root;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>The octets of an answer.</summary>
    /// <remarks>
    /// <c>isPrefixed</c>: With prefixes declared at the root, in one line; else each element with the
    /// namespace it needs, indented.
    /// </remarks>
    public static byte[] Write(XElement root, bool isPrefixed)
    {
        if (isPrefixed)
        {
            root.Add(
                new XAttribute(XNamespace.Xmlns + "D", DavNames.D),
                new XAttribute(XNamespace.Xmlns + "C", DavNames.C),
                new XAttribute(XNamespace.Xmlns + "CS", DavNames.Cs),
                new XAttribute(XNamespace.Xmlns + "A", DavNames.Apple));
        }

        using var octets = new MemoryStream();
        var writing = new XmlWriterSettings
        {
            Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            Indent = !isPrefixed,
            NewLineHandling = NewLineHandling.None,
        };
        using (var writer = XmlWriter.Create(octets, writing))
            new XDocument(root).Save(writer);
        return octets.ToArray();
    }

    /// <summary>Whether XML can carry the text at all; a calendar with other characters cannot be
    /// reported.</summary>
    public static bool CanCarry(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (XmlConvert.IsXmlChar(text[index]))
                continue;
            if (index + 1 == text.Length || !XmlConvert.IsXmlSurrogatePair(text[index + 1], text[index]))
                return false;
            index++;
        }

        return true;
    }
}
