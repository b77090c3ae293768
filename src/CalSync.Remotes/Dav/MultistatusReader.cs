using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Xml;

namespace CalSync.Remotes.Dav;

/// <summary>Reads what a WebDAV server answers, as a stream, trusting nothing.</summary>
/// <remarks>
/// No DTD, so no entities; nothing is fetched. Length, depth, rows and the length of each value are bounded
/// before memory is taken. An answer counts only when its root is closed and nothing follows it: half an
/// answer, or a page of HTML, is a fault and never an empty result. Unknown elements are skipped.
/// </remarks>
internal sealed class MultistatusReader : IDisposable
{
    /// <summary>The deepest element of an answer that is read.</summary>
    public const int DepthMax = 32;

    /// <summary>The longest text of a property other than calendar-data, in characters.</summary>
    public const int TextLengthMax = 64 * 1024;

    private const int NameCountMax = 256;
    private const string Dav = "DAV:";
    private const string CalDav = "urn:ietf:params:xml:ns:caldav";

    private readonly XmlReader _xml;
    private readonly DavOptions _options;
    private readonly char[] _chunk = new char[8 * 1024];
    private readonly StringBuilder _text = new();
    private ArrayBufferWriter<byte>? _octets;

    private MultistatusReader(Stream body, DavOptions options)
    {
        _options = options;
        _xml = XmlReader.Create(body, new XmlReaderSettings
        {
            Async = true,
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = options.AnswerLengthMax,
            MaxCharactersFromEntities = 1,
            IgnoreWhitespace = true,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            CloseInput = false,
        });
    }

    /// <summary>Reads a whole multistatus.</summary>
    /// <exception cref="DavFormatException">It is not one, not whole, or too much.</exception>
    public static async Task<Multistatus> ReadAsync(
        Stream body, DavOptions options, CancellationToken cancellation)
    {
        using var reader = new MultistatusReader(body, options);
        try
        {
            return await reader.MultistatusAsync(cancellation);
        }
        catch (XmlException broken)
        {
            throw new DavFormatException("the answer is not well-formed XML, or not whole", broken);
        }
    }

    /// <summary>Reads the body of an error, as far as it is one.</summary>
    public static async Task<DavError> ReadErrorAsync(ReadOnlyMemory<byte> body, DavOptions options)
    {
        using var stream = new MemoryStream(body.ToArray(), writable: false);
        using var reader = new MultistatusReader(stream, options);
        try
        {
            return await reader.ErrorAsync();
        }
        catch (Exception broken) when (broken is XmlException or DavFormatException)
        {
            return DavError.None;
        }
    }

    public void Dispose() => _xml.Dispose();

    private async Task<Multistatus> MultistatusAsync(CancellationToken cancellation)
    {
        if (await _xml.MoveToContentAsync() != XmlNodeType.Element || !IsDav("multistatus"))
            throw new DavFormatException("the answer is no multistatus");
        var rows = ImmutableArray.CreateBuilder<DavRow>();
        string? token = null;
        await ChildrenAsync(async () =>
        {
            cancellation.ThrowIfCancellationRequested();
            if (IsDav("response"))
                await RowAsync(rows);
            else if (IsDav("sync-token"))
                token = Some(await TextAsync());
            else
                await SkipAsync();
        });
        while (await _xml.ReadAsync())
        {
            // Whatever else were here would make the reader throw; comments are skipped.
        }

        return new(rows.ToImmutable(), token);
    }

    private async Task RowAsync(ImmutableArray<DavRow>.Builder rows)
    {
        string? href = null;
        List<string>? more = null;
        string? status = null;
        string? condition = null;
        DavProperties? found = null;
        await ChildrenAsync(async () =>
        {
            switch (_xml.NamespaceURI == Dav ? _xml.LocalName : "")
            {
                case "href" when href is null:
                    href = Some(await TextAsync());
                    break;
                case "href":
                    (more ??= []).Add(await TextAsync());
                    break;
                case "propstat":
                    var properties = await PropStatAsync();
                    if (found is null)
                        found = properties;
                    else if (properties is not null)
                        found.Add(properties);
                    break;
                case "status":
                    status = await TextAsync();
                    break;
                case "error":
                    condition ??= (await NamesAsync()).FirstOrDefault();
                    break;
                default:
                    await SkipAsync();
                    break;
            }
        });
        if (href is null)
            throw new DavFormatException("a response names no resource");
        rows.Add(new(href, Status(status), condition, found ?? DavProperties.None));
        foreach (var other in more ?? [])
            rows.Add(new(other, Status(status), condition, found ?? DavProperties.None));
        if (rows.Count > _options.RowCountMax)
            throw new DavFormatException("the answer has too many rows");
    }

    /// <summary>What one propstat gives; null when its status is no success.</summary>
    private async Task<DavProperties?> PropStatAsync()
    {
        string? status = null;
        var found = new DavProperties();
        await ChildrenAsync(async () =>
        {
            if (IsDav("prop"))
                await ChildrenAsync(() => PropertyAsync(found));
            else if (IsDav("status"))
                status = await TextAsync();
            else
                await SkipAsync();
        });

        // One server leaves the status empty at times; what it gives nevertheless is given.
        return Status(status) is null or (>= 200 and <= 299) ? found : null;
    }

    private async Task PropertyAsync(DavProperties found)
    {
        switch (_xml.LocalName)
        {
            case "getetag":
                found.ETag = DavETag.Normalise(await TextAsync());
                break;
            case "calendar-data":
                found.CalendarData = await CalendarDataAsync();
                break;
            case "getcontenttype":
                found.ContentType = Some(await TextAsync());
                break;
            case "getcontentlength":
                found.ContentLength = long.TryParse(
                    await TextAsync(), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                    ? length
                    : null;
                break;
            case "resourcetype":
                found.Types = await NamesAsync();
                break;
            case "displayname":
                found.DisplayName = Some(await TextAsync());
                break;
            case "calendar-color":
                found.Color = Some(await TextAsync());
                break;
            case "getctag":
                found.CTag = Some(await TextAsync());
                break;
            case "sync-token":
                found.SyncToken = Some(await TextAsync());
                break;
            case "supported-calendar-component-set" when _xml.NamespaceURI == CalDav:
                found.Components = await NamesAsync("name");
                break;
            case "supported-report-set":
                found.Reports = await NamesAsync();
                break;
            case "current-user-privilege-set":
                found.Privileges = await NamesAsync();
                break;
            case "current-user-principal":
                found.Principal = (await HrefsAsync()).FirstOrDefault();
                break;
            case "calendar-home-set":
                found.Homes = await HrefsAsync();
                break;
            case "calendar-user-address-set":
                found.UserAddresses = await HrefsAsync();
                break;
            default:
                await SkipAsync();
                break;
        }
    }

    private async Task<DavError> ErrorAsync()
    {
        if (await _xml.MoveToContentAsync() != XmlNodeType.Element || !IsDav("error"))
            return DavError.None;
        var conditions = ImmutableArray.CreateBuilder<string>();
        string? href = null;
        await VisitAsync(async () =>
        {
            if (IsDav("href"))
                href ??= Some(await TextAsync());
            else if (conditions.Count < NameCountMax)
                conditions.Add(_xml.LocalName);
        });
        return new(conditions.ToImmutable(), href);
    }

    /// <summary>The names of all elements inside this one, or the values of one of their
    /// attributes.</summary>
    private async Task<ImmutableArray<string>> NamesAsync(string? attribute = null)
    {
        var names = ImmutableArray.CreateBuilder<string>();
        await VisitAsync(() =>
        {
            if (names.Count >= NameCountMax)
                throw new DavFormatException("a property has too many parts");
            if (attribute is null)
                names.Add(_xml.LocalName);
            else if (_xml.GetAttribute(attribute) is { Length: <= TextLengthMax } value)
                names.Add(value);
            return Task.CompletedTask;
        });
        return names.ToImmutable();
    }

    private async Task<ImmutableArray<string>> HrefsAsync()
    {
        var hrefs = ImmutableArray.CreateBuilder<string>();
        await VisitAsync(async () =>
        {
            if (!IsDav("href"))
                return;
            if (hrefs.Count >= NameCountMax)
                throw new DavFormatException("a property has too many parts");
            if (Some(await TextAsync()) is { } href)
                hrefs.Add(href);
        });
        return hrefs.ToImmutable();
    }

    private bool IsDav(string name) => _xml.LocalName == name && _xml.NamespaceURI == Dav;

    private async Task NextAsync()
    {
        if (!await _xml.ReadAsync())
            throw new DavFormatException("the answer ends too early");
        if (_xml.Depth > DepthMax)
            throw new DavFormatException("the answer is nested too deeply");
    }

    /// <summary>Goes through the children of the element here; each must be read to its end.</summary>
    private async Task ChildrenAsync(Func<Task> onChild)
    {
        if (_xml.IsEmptyElement)
            return;
        var depth = _xml.Depth;
        while (true)
        {
            await NextAsync();
            if (_xml.NodeType == XmlNodeType.Element)
                await onChild();
            else if (_xml.NodeType == XmlNodeType.EndElement && _xml.Depth == depth)
                return;
        }
    }

    /// <summary>Goes through all elements inside the one here, each before those inside it.</summary>
    private async Task VisitAsync(Func<Task> onElement)
    {
        if (_xml.IsEmptyElement)
            return;
        var depth = _xml.Depth;
        while (true)
        {
            await NextAsync();
            if (_xml.NodeType == XmlNodeType.Element)
                await onElement();
            else if (_xml.NodeType == XmlNodeType.EndElement && _xml.Depth == depth)
                return;
        }
    }

    private Task SkipAsync() => VisitAsync(() => Task.CompletedTask);

    private async Task<string> TextAsync()
    {
        _text.Clear();
        await ValueAsync(count =>
        {
            if (_text.Length + count > TextLengthMax)
                throw new DavFormatException("a property is too long");
            _text.Append(_chunk, 0, count);
        });
        return _text.ToString().Trim();
    }

    private async Task<byte[]> CalendarDataAsync()
    {
        var octets = _octets ??= new ArrayBufferWriter<byte>(8 * 1024);
        octets.ResetWrittenCount();
        var encoder = Encoding.UTF8.GetEncoder();
        await ValueAsync(count =>
        {
            if (octets.WrittenCount + count > _options.ResourceSizeBytesMax)
                throw new DavFormatException("a calendar object is too large");
            encoder.Convert(_chunk.AsSpan(0, count), octets, flush: false, out _, out _);
        });
        return CalendarText.WithCrLf(octets.WrittenSpan);
    }

    /// <summary>Hands over the text of the element here piece by piece, in <see cref="_chunk"/>.</summary>
    private async Task ValueAsync(Action<int> onPiece)
    {
        if (_xml.IsEmptyElement)
            return;
        var depth = _xml.Depth;
        while (true)
        {
            await NextAsync();
            if (_xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace)
            {
                int count;
                while ((count = await _xml.ReadValueChunkAsync(_chunk, 0, _chunk.Length)) > 0)
                    onPiece(count);
            }
            else if (_xml.NodeType == XmlNodeType.EndElement && _xml.Depth == depth)
            {
                return;
            }
        }
    }

    private static string? Some(string text) => text.Length == 0 ? null : text;

    /// <summary>The code of a status line; null when there is none.</summary>
    private static int? Status(string? line)
    {
        var text = line.AsSpan().Trim();
        var space = text.IndexOf(' ');
        if (space < 0 || text.Length < space + 4)
            return null;
        return int.TryParse(
            text.Slice(space + 1, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? code
            : null;
    }
}

/// <summary>An answer that is not what WebDAV says.</summary>
/// <param name="words">What is wrong, fixed words.</param>
/// <param name="inner">What the XML reader found; null for nothing.</param>
internal sealed class DavFormatException(string words, Exception? inner = null) : Exception(words, inner);
