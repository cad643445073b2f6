using System.Globalization;
using System.Text;
using CdnEdge.Caching;
using CdnEdge.Fuzz.Engine;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Fuzz.Targets;

/// <summary>Fields of requests and responses, one by one.</summary>
internal static class FieldTargets
{
    private static readonly string[] Directives =
    [
        "max-age=", "s-maxage=", "no-store", "no-cache", "no-cache=\"", "private", "private=\"set-cookie\"", "public", "must-revalidate", "proxy-revalidate",
        "must-understand", "no-transform", "stale-while-revalidate=", "stale-if-error=", "only-if-cached", "min-fresh=", "max-stale", ", ", "\\\"", "\\\",", "a=\"",
    ];

    private static readonly string[] Structured =
        ["\"", "\\\"", "()", "(a b)", ";a=1", ";a", ":YQ==:", "?1", "?0", "@1659578233", "%\"%c3%bc\"", "1.5", "-", "a=", ", ", "*a", "max-age=60", "\u00e9"];

    private static readonly string[] Dates = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Feb", "29", "60", " GMT", "9999", "0000"];

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("cache-control-response", CacheControlOfResponse) { Words = Directives },
        new("cache-control-request", CacheControlOfRequest) { Words = Directives },
        new("targeted-cache-control", TargetedCacheControl) { Words = [.. Directives, .. Structured] },
        new("directive-syntax", Syntax) { Words = Directives },
        new("age", Age) { Words = ["60", ", ", "; ", "2147483648"] },
        new("http-date", Date) { Words = Dates },
        new("structured-dictionary", Dictionary) { Words = Structured },
        new("structured-list", List) { Words = Structured },
        new("structured-item", Item) { Words = Structured },
        new("structured-text", WrittenText) { Words = Structured },
        new("range", Range) { Words = ["bytes=", "0-", "-1", "0-0,", "5-4", ",", ", ", "BYTES="] },
        new("content-range", Content) { Words = ["bytes ", "0-0/1", "*/1", "/*", "-"] },
        new("entity-tag", Tag) { Words = ["-br", "-gzip\"", "\"", "W/\"", "*", ", ", "\"a\"", "\u00e9"] },
        new("preconditions", Evaluated) { Words = ["If-None-Match: ", "If-Match: ", "If-Range: ", "If-Modified-Since: ", "If-Unmodified-Since: ", "Range: bytes=0-1", "\n\n", "ETag: ", "Last-Modified: ", "*", "\"a\"", "W/\"a\"", .. Dates] },
        new("surrogate-tags", Tags) { Words = ["Surrogate-Key: ", "Cache-Tag: ", "Cache-Groups: ", "\"g\", ", "a b ", "c,"] },
        new("cache-groups", Groups) { Words = ["\"g\"", ", ", "\"\\\"\"", "g", ";a=1"] },
        new("field-names", Names) { Words = ["Connection", ", ", "Host", "x-a"] },
    ];

    private static int CacheControlOfResponse(byte[] input)
    {
        var lines = Given.Lines(input);
        var read = ResponseDirectives.ParseCacheControl(lines);
        foreach (var seconds in new[] { read.MaxAge, read.SMaxAge, read.StaleIfError, read.StaleWhileRevalidate })
            Claim.Holds(seconds is null or (>= 0 and <= DeltaSeconds.Max));
        Claim.Holds(read.NoCacheFields.Concat(read.PrivateFields).All(static name => Token.IsToken(name)));

        // What forbids counts whatever stands around it.
        Claim.Holds(ResponseDirectives.ParseCacheControl(StringValues.Concat(lines, "no-store")).NoStore);
        Claim.Holds(ResponseDirectives.ParseCacheControl("no-store, " + Given.Text(input)).NoStore);
        return (read.NoStore ? 1 : 0) | (read.NoCache ? 2 : 0) | (read.Private ? 4 : 0) | (read.Public ? 8 : 0) | (read.MaxAge is null ? 0 : 16)
            | (read.SMaxAge is null ? 0 : 32) | (read.NoCacheFields.Count << 6) | (read.PrivateFields.Count << 12) | (read.MustRevalidate ? 1 << 20 : 0);
    }

    private static int CacheControlOfRequest(byte[] input)
    {
        var lines = Given.Lines(input);
        var read = RequestDirectives.Parse(new HeaderDictionary { ["Cache-Control"] = lines });
        Claim.Holds(read.MaxAge is null or (>= 0 and <= DeltaSeconds.Max));
        Claim.Holds(read.MaxStale is null or long.MaxValue or (>= 0 and <= DeltaSeconds.Max));
        Claim.Holds(read.MinFresh is null or (>= 0 and <= DeltaSeconds.Max));
        Claim.Holds(RequestDirectives.Parse(new HeaderDictionary { ["Cache-Control"] = StringValues.Concat(lines, "no-store") }).NoStore);
        _ = RequestDirectives.Parse(new HeaderDictionary { ["Pragma"] = lines });
        return (read.NoStore ? 1 : 0) | (read.NoCache ? 2 : 0) | (read.OnlyIfCached ? 4 : 0) | (read.MaxAge is null ? 0 : 8)
            | (read.MinFresh is null ? 0 : 16) | (read.MaxStale is null ? 0 : 32) | (read.StaleIfError is null ? 0 : 64);
    }

    private static int TargetedCacheControl(byte[] input)
    {
        var read = ResponseDirectives.Parse(new HeaderDictionary { ["CDN-Cache-Control"] = Given.Lines(input), ["Cache-Control"] = "max-age=7" }, Given.Plain);
        Claim.Holds(read.MaxAge is null or (>= 0 and <= DeltaSeconds.Max));
        Claim.Holds(read.TargetedField is not null || read.MaxAge == 7);
        return (read.TargetedField is null ? 0 : 1) | (read.NoStore ? 2 : 0) | (read.MaxAge is null ? 0 : 4) | (read.PrivateFields.Count << 3) | (read.NoCacheFields.Count << 10);
    }

    private static int Syntax(byte[] input)
    {
        var text = Given.Text(input);
        var isValid = DirectiveSyntax.IsValid(text);

        // What an operator may write is read without complaint.
        var reader = new CacheControlReader(text);
        var count = 0;
        for (; isValid && reader.MoveNext(); count++)
            Claim.Holds(!reader.IsMalformed);
        Claim.Holds(!isValid || count > 0);
        return count;
    }

    private static int Age(byte[] input)
    {
        var age = AgeField.Parse(Given.Lines(input));
        Claim.Holds(age is >= 0 and <= DeltaSeconds.Max);
        var isNumber = DeltaSeconds.TryParse(Given.Text(input), out var seconds);
        Claim.Holds(seconds is >= 0 and <= DeltaSeconds.Max);
        return (isNumber ? 1 : 0) | (age == 0 ? 0 : 2);
    }

    private static int Date(byte[] input)
    {
        if (!HttpDate.TryParse(Given.Lines(input), Given.Now, out var date))
            return 0;
        Claim.Holds(date.Offset == TimeSpan.Zero);
        Claim.Holds(HttpDate.TryParse(date.ToString("R", CultureInfo.InvariantCulture), Given.Now, out var again) && again == date);
        return date.Year < 1900 ? 1 : date.Year > 2100 ? 2 : 3;
    }

    private static int Dictionary(byte[] input)
    {
        var isValid = StructuredField.TryParseDictionary(Given.Lines(input), out var members);
        return isValid ? 1 + members.Values.Aggregate(0, static (all, item) => all | (1 << (int)item.Kind)) : 0;
    }

    private static int List(byte[] input)
    {
        var isValid = StructuredField.TryParseList(Given.Lines(input), out var members);
        return isValid ? 1 + members.Aggregate(0, static (all, item) => all | (1 << (int)item.Kind)) : 0;
    }

    private static int Item(byte[] input)
    {
        if (!StructuredField.TryParseItem(Given.Lines(input), out var item))
            return 0;
        Claim.Holds(Math.Abs(item.Number) <= 999_999_999_999_999);
        if (item.Kind is SfKind.String or SfKind.Token)
        {
            var written = new StringBuilder();
            StructuredField.AppendTokenOrString(written, item.Text!);
            Claim.Holds(StructuredField.TryParseItem(written.ToString(), out var again) && again.Text == item.Text);
        }

        return 1 + (int)item.Kind;
    }

    /// <summary>Whatever a text holds, what is written of it is one item and nothing else.</summary>
    private static int WrittenText(byte[] input)
    {
        var text = Given.Text(input);
        var written = new StringBuilder();
        StructuredField.AppendTokenOrString(written, text);
        Claim.Holds(StructuredField.TryParseItem(written.ToString(), out var item) && item.Text!.Length == text.Length);
        var status = new CacheStatus { Hit = true, Detail = text }.Format("cdnedge");
        Claim.Holds(StructuredField.TryParseList(status, out var members) && members.Count == 1);
        return (int)item.Kind;
    }

    private static int Range(byte[] input)
    {
        var lines = Given.Lines(input);
        var outcome = 0;
        foreach (var length in new[] { 0, 1, 10, 1000, long.MaxValue })
        {
            var resolved = RangeField.Resolve(lines, length, out var ranges);
            Claim.Holds(ranges.Length <= RangeField.MaxRanges && (resolved == RangeOutcome.Satisfiable) == (ranges.Length > 0));
            var end = -1L;
            foreach (var range in ranges)
            {
                // In order, apart, within: so no byte goes out twice.
                Claim.Holds(range.Offset > end && range.Length > 0 && range.End <= length && range.End > range.Offset);
                end = range.End;
            }

            outcome = (outcome * 4) + (int)resolved;
        }

        if (RangeField.TryParseSingle(lines, out var first, out var last))
        {
            Claim.Holds(RangeField.Resolve(lines, long.MaxValue, out _) != RangeOutcome.Ignore);
            outcome |= first is null ? 1 << 28 : last is null ? 1 << 29 : 1 << 30;
        }

        return outcome;
    }

    private static int Content(byte[] input)
    {
        if (!ContentRange.TryParse(Given.Lines(input), out var read))
            return 0;
        Claim.Holds(read.Range is { Offset: >= 0, Length: > 0 } && read.Range.End > read.Range.Offset);
        if (read.CompleteLength is not { } complete)
            return 1;
        Claim.Holds(read.Range.End <= complete);
        Claim.Holds(ContentRange.TryParse(ContentRange.Format(read.Range, complete), out var again) && again == read);
        return 2;
    }

    private static int Tag(byte[] input)
    {
        var text = Given.Text(input);
        if (!EntityTag.TryParse(text, out var tag))
            return 0;
        Claim.Holds(EntityTag.TryParse(tag.Text, out var again) && again == tag);
        Claim.Holds(tag.WeakEquals(tag) && tag.StrongEquals(tag) == !tag.IsWeak);
        if (tag.Text.EndsWith('"'))
            Claim.Holds(EntityTagList.Contains($"\"x\", {tag.Text}", tag, strong: false));

        // In a coding it's another one, as weak as before, and the way back leads to it.
        var coded = tag.InCoding("br");
        Claim.Holds(coded.IsWeak == tag.IsWeak && !coded.WeakEquals(tag) && tag.WeakEqualsInCoding(coded.Text, "br") && !tag.WeakEqualsInCoding(tag.Text, "br"));
        Claim.Holds(EntityTag.TryTakeOffCoding(coded.Text, "br", out var plain) && plain == tag.Text);
        Claim.Holds(EntityTagList.ContainsInCoding($"\"x\", {coded.Text}", tag, "br") || !tag.Text.EndsWith('"'));
        return tag.IsWeak ? 1 : 2;
    }

    private static int Evaluated(byte[] input)
    {
        var (request, response) = Given.Exchange(input);
        EntityTag? tag = EntityTag.TryParse(response.ETag.ToString(), out var read) ? read : null;
        DateTimeOffset? modified = HttpDate.TryParse(response.LastModified, Given.Now, out var date) ? date : null;
        var result = Preconditions.Evaluate(request, 200, tag, modified, Given.Now, Given.Now);
        var allows = Preconditions.AllowsRange(request, tag, modified, Given.Now, Given.Now);
        return ((int)result << 1) | (allows ? 1 : 0);
    }

    private static int Tags(byte[] input)
    {
        var tags = SurrogateTags.Of(Given.Fields(Given.Text(input)), Given.Plain);
        Claim.Holds(tags.Tags.Length <= SurrogateTags.MaxCount && tags.Groups.Length <= CacheGroups.MaxCount);
        Claim.Holds(tags.Tags.All(static tag => tag.Length is > 0 and <= SurrogateTags.MaxLength) && tags.Tags.Distinct().Count() == tags.Tags.Length);
        return Math.Min(tags.Tags.Length, 20) + (Math.Min(tags.Groups.Length, 20) << 8);
    }

    private static int Groups(byte[] input)
    {
        var groups = CacheGroups.Parse(Given.Lines(input));
        Claim.Holds(groups.Count <= CacheGroups.MaxCount && groups.All(static group => group.Length is > 0 and <= CacheGroups.MaxLength));
        return Math.Min(groups.Count, 20);
    }

    private static int Names(byte[] input)
    {
        var names = new List<string> { "before" };
        var isList = FieldNameList.TryParse(Given.Text(input), names);
        Claim.Holds(names[0] == "before" && names.All(static name => Token.IsToken(name)) && isList == names.Count > 1);
        return Math.Min(names.Count, 20);
    }
}
