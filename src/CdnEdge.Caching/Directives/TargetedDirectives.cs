namespace CdnEdge.Caching;

/// <summary>
/// Reads cache directives from a targeted field's dictionary (RFC 9213 §2.1): flags are Booleans, delta-seconds are
/// Integers, field lists are Strings or Tokens; a directive of another type is ignored, parameters are too.
/// </summary>
internal static class TargetedDirectives
{
    internal static ResponseDirectives Read(string field, Dictionary<string, SfItem> members)
    {
        var (noCache, noCacheFields) = FlagOrFields(members, "no-cache");
        var (isPrivate, privateFields) = FlagOrFields(members, "private");
        return new ResponseDirectives
        {
            TargetedField = field,
            NoStore = Flag(members, "no-store"),
            NoCache = noCache,
            NoCacheFields = noCacheFields,
            Private = isPrivate,
            PrivateFields = privateFields,
            Public = Flag(members, "public"),
            MustRevalidate = Flag(members, "must-revalidate"),
            ProxyRevalidate = Flag(members, "proxy-revalidate"),
            MustUnderstand = Flag(members, "must-understand"),
            NoTransform = Flag(members, "no-transform"),
            MaxAge = Seconds(members, "max-age"),
            SMaxAge = Seconds(members, "s-maxage"),
            StaleWhileRevalidate = Seconds(members, "stale-while-revalidate"),
            StaleIfError = Seconds(members, "stale-if-error"),
        };
    }

    private static bool Flag(Dictionary<string, SfItem> members, string name) =>
        members.TryGetValue(name, out var item) && item.IsTrue;

    private static long? Seconds(Dictionary<string, SfItem> members, string name) =>
        members.TryGetValue(name, out var item) && item.Kind == SfKind.Integer
            ? Math.Clamp(item.Number, 0, DeltaSeconds.Max)
            : null;

    private static (bool Unqualified, IReadOnlyList<string> Fields) FlagOrFields(Dictionary<string, SfItem> members, string name)
    {
        if (!members.TryGetValue(name, out var item))
            return (false, []);
        if (item.Kind is not (SfKind.String or SfKind.Token))
            return (item.IsTrue, []);
        // As in Cache-Control: what isn't a list of field names is the stricter, unqualified form.
        var fields = new List<string>();
        return FieldNameList.TryParse(item.Text, fields) ? (false, fields.ToArray()) : (true, []);
    }
}
