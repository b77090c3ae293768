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
    private readonly string?[] _known = new string?[8];
    private char[] _chunk = ArrayPool<char>.Shared.Rent(8 * 1024);
    private ArrayBufferWriter<byte>? _octets;
    private ContentShelf? _contents;
    private bool _isInText;
    private int _knownCount;

    private MultistatusReader(Stream body, DavOptions options)
    {
        _options = options;
        _xml = XmlReader.Create(body, new XmlReaderSettings
        {
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
    public static Task<Multistatus> ReadAsync(
        Stream body, DavOptions options, CancellationToken cancellation) => AnswerBody.ReadAsync(
        body,
        answer =>
        {
            using var reader = new MultistatusReader(answer, options);
            try
            {
                return reader.Multistatus(cancellation);
            }
            catch (XmlException broken)
            {
                throw new DavFormatException("the answer is not well-formed XML, or not whole", broken);
            }
        },
        cancellation);

    /// <summary>Reads the body of an error, as far as it is one.</summary>
    public static DavError ReadError(ReadOnlyMemory<byte> body, DavOptions options)
    {
        using var stream = new MemoryStream(body.ToArray(), writable: false);
        using var reader = new MultistatusReader(stream, options);
        try
        {
            return reader.Error();
        }
        catch (Exception broken) when (broken is XmlException or DavFormatException)
        {
            return DavError.None;
        }
    }

    public void Dispose()
    {
        _xml.Dispose();
        ArrayPool<char>.Shared.Return(_chunk);
        _chunk = [];
        _contents?.Dispose();
    }

    private Multistatus Multistatus(CancellationToken cancellation)
    {
        if (_xml.MoveToContent() != XmlNodeType.Element || !IsDav("multistatus"))
            throw new DavFormatException("the answer is no multistatus");
        var rows = ImmutableArray.CreateBuilder<DavRow>();
        string? token = null;
        for (var inside = Enter(); NextChild(inside);)
        {
            cancellation.ThrowIfCancellationRequested();
            if (IsDav("response"))
                Row(rows);
            else if (IsDav("sync-token"))
                token = Some(Text());
            else
                Skip();
        }

        while (_xml.Read())
        {
            // Whatever else were here would make the reader throw; comments are skipped.
        }

        _contents?.Place();
        return new(rows.ToImmutable(), token);
    }

    private void Row(ImmutableArray<DavRow>.Builder rows)
    {
        string? href = null;
        List<string>? more = null;
        string? status = null;
        string? condition = null;
        DavProperties? found = null;
        for (var inside = Enter(); NextChild(inside);)
        {
            switch (_xml.NamespaceURI == Dav ? _xml.LocalName : "")
            {
                case "href" when href is null:
                    href = Some(Text());
                    break;
                case "href":
                    (more ??= []).Add(Text());
                    break;
                case "propstat":
                    var properties = PropStat();
                    if (found is null)
                        found = properties;
                    else if (properties is not null)
                        found.Add(properties);
                    break;
                case "status":
                    status = Text();
                    break;
                case "error":
                    condition ??= Names().FirstOrDefault();
                    break;
                default:
                    Skip();
                    break;
            }
        }

        if (href is null)
            throw new DavFormatException("a response names no resource");
        _contents?.Await(found ?? DavProperties.None);
        rows.Add(new(href, Status(status), condition, found ?? DavProperties.None));
        foreach (var other in more ?? [])
            rows.Add(new(other, Status(status), condition, found ?? DavProperties.None));
        if (rows.Count > _options.RowCountMax)
            throw new DavFormatException("the answer has too many rows");
    }

    /// <summary>What one propstat gives; null when its status is no success.</summary>
    private DavProperties? PropStat()
    {
        string? status = null;
        var found = new DavProperties();
        for (var inside = Enter(); NextChild(inside);)
        {
            if (IsDav("prop"))
            {
                for (var within = Enter(); NextChild(within);)
                    Property(found);
            }
            else if (IsDav("status"))
            {
                status = Text();
            }
            else
            {
                Skip();
            }
        }

        // One server leaves the status empty at times; what it gives nevertheless is given.
        return Status(status) is null or (>= 200 and <= 299) ? found : null;
    }

    private void Property(DavProperties found)
    {
        switch (_xml.LocalName)
        {
            case "getetag":
                found.ETag = DavETag.Normalise(Text());
                break;
            case "calendar-data":
                found.CalendarPlace = CalendarData();
                break;
            case "getcontenttype":
                found.ContentType = Some(Text());
                break;
            case "getcontentlength":
                found.ContentLength = long.TryParse(
                    Text(), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                    ? length
                    : null;
                break;
            case "resourcetype":
                found.Types = Names();
                break;
            case "displayname":
                found.DisplayName = Some(Text());
                break;
            case "calendar-color":
                found.Color = Some(Text());
                break;
            case "getctag":
                found.CTag = Some(Text());
                break;
            case "sync-token":
                found.SyncToken = Some(Text());
                break;
            case "supported-calendar-component-set" when _xml.NamespaceURI == CalDav:
                found.Components = Names("name");
                break;
            case "supported-report-set":
                found.Reports = Names();
                break;
            case "current-user-privilege-set":
                found.Privileges = Names();
                break;
            case "current-user-principal":
                found.Principal = Hrefs().FirstOrDefault();
                break;
            case "calendar-home-set":
                found.Homes = Hrefs();
                break;
            case "calendar-user-address-set":
                found.UserAddresses = Hrefs();
                break;
            default:
                Skip();
                break;
        }
    }

    private DavError Error()
    {
        if (_xml.MoveToContent() != XmlNodeType.Element || !IsDav("error"))
            return DavError.None;
        var conditions = ImmutableArray.CreateBuilder<string>();
        string? href = null;
        Visit(() =>
        {
            if (IsDav("href"))
                href ??= Some(Text());
            else if (conditions.Count < NameCountMax)
                conditions.Add(_xml.LocalName);
        });
        return new(conditions.ToImmutable(), href);
    }

    /// <summary>The names of all elements inside this one, or the values of one of their
    /// attributes.</summary>
    private ImmutableArray<string> Names(string? attribute = null)
    {
        var names = ImmutableArray.CreateBuilder<string>();
        Visit(() =>
        {
            if (names.Count >= NameCountMax)
                throw new DavFormatException("a property has too many parts");
            if (attribute is null)
                names.Add(_xml.LocalName);
            else if (_xml.GetAttribute(attribute) is { Length: <= TextLengthMax } value)
                names.Add(value);
        });
        return names.ToImmutable();
    }

    private ImmutableArray<string> Hrefs()
    {
        var hrefs = ImmutableArray.CreateBuilder<string>();
        Visit(() =>
        {
            if (!IsDav("href"))
                return;
            if (hrefs.Count >= NameCountMax)
                throw new DavFormatException("a property has too many parts");
            if (Some(Text()) is { } href)
                hrefs.Add(href);
        });
        return hrefs.ToImmutable();
    }

    private bool IsDav(string name) => _xml.LocalName == name && _xml.NamespaceURI == Dav;

    private void Next()
    {
        if (!_xml.Read())
            throw new DavFormatException("the answer ends too early");
        if (_xml.Depth > DepthMax)
            throw new DavFormatException("the answer is nested too deeply");
    }

    /// <summary>The depth of the element here, for going through its children; none when it is
    /// empty.</summary>
    private int? Enter() => _xml.IsEmptyElement ? null : _xml.Depth;

    /// <summary>Moves to the next child of an element; each must be read to its end before.</summary>
    /// <param name="depth">What <see cref="Enter"/> gave.</param>
    /// <returns>False at the end of the element.</returns>
    private bool NextChild(int? depth)
    {
        while (depth is { } level)
        {
            Next();
            if (_xml.NodeType == XmlNodeType.Element)
                return true;
            if (_xml.NodeType == XmlNodeType.EndElement && _xml.Depth == level)
                return false;
        }

        return false;
    }

    /// <summary>Goes through all elements inside the one here, each before those inside it.</summary>
    private void Visit(Action onElement)
    {
        if (_xml.IsEmptyElement)
            return;
        var depth = _xml.Depth;
        while (true)
        {
            Next();
            if (_xml.NodeType == XmlNodeType.Element)
                onElement();
            else if (_xml.NodeType == XmlNodeType.EndElement && _xml.Depth == depth)
                return;
        }
    }

    private void Skip() => Visit(() => { });

    private string Text()
    {
        var length = 0;
        for (var inside = Enter(); NextPiece(inside, length) is > 0 and var count;)
        {
            length += count;
            if (length > TextLengthMax)
                throw new DavFormatException("a property is too long");
            if (length == _chunk.Length)
                Array.Resize(ref _chunk, 2 * _chunk.Length);
        }

        var text = _chunk.AsSpan(0, length).Trim();
        // Rows say the same over and over: a status, a type.
        foreach (var known in _known)
        {
            if (known is not null && text.SequenceEqual(known))
                return known;
        }

        return _known[_knownCount++ % _known.Length] = text.ToString();
    }

    private Range CalendarData()
    {
        var octets = _octets ??= new ArrayBufferWriter<byte>(8 * 1024);
        octets.ResetWrittenCount();
        var encoder = Encoding.UTF8.GetEncoder();
        for (var inside = Enter(); NextPiece(inside, 0) is > 0 and var count;)
        {
            if (octets.WrittenCount + count > _options.ResourceSizeBytesMax)
                throw new DavFormatException("a calendar object is too large");
            encoder.Convert(_chunk.AsSpan(0, count), octets, flush: false, out _, out _);
        }

        var place = (_contents ??= new ContentShelf()).Add(octets.WrittenSpan);
        // Line ends take room too; what is more than that comes of several contents in one response.
        return _contents.RowSizeBytes <= 2L * _options.ResourceSizeBytesMax
            ? place
            : throw new DavFormatException("a response has too many contents");
    }

    /// <summary>Takes the next piece of an element's text into <see cref="_chunk"/>.</summary>
    /// <param name="depth">What <see cref="Enter"/> gave.</param>
    /// <param name="at">Where it is put.</param>
    /// <returns>How many characters; 0 at the end of the element.</returns>
    private int NextPiece(int? depth, int at)
    {
        while (depth is { } level)
        {
            if (_isInText && _xml.ReadValueChunk(_chunk, at, _chunk.Length - at) is > 0 and var count)
                return count;
            Next();
            _isInText = _xml.NodeType
                is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace;
            if (_xml.NodeType == XmlNodeType.EndElement && _xml.Depth == level)
                break;
        }

        return 0;
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
