using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>The fields of a stored head: chosen, merged, found.</summary>
internal static class StoredFields
{
    /// <summary>Those of a response that are stored, with equal strings shared between heads: for clients, and for other nodes only.</summary>
    /// <param name="arrival">Becomes the Date where there's none or it's no date (RFC 9110 §6.6.1).</param>
    internal static (HeaderField[] Fields, HeaderField[] Withheld) Select(
        IHeaderDictionary headers, ResponseDirectives directives, CachePolicy policy, DateTimeOffset arrival)
    {
        var filter = new FieldFilter(headers, directives, policy);
        var fields = new List<HeaderField>(headers.Count + 1);
        List<HeaderField>? withheld = null;
        foreach (var (name, value) in headers)
        {
            if (value.Count == 0 || !filter.IsStored(name) || name.Equals("Date", StringComparison.OrdinalIgnoreCase))
                continue;
            var field = new HeaderField(WellKnownFields.Intern(name), Share(name, value));
            if (filter.IsWithheld(name))
                (withheld ??= []).Add(field);
            else
                fields.Add(field);
        }

        var date = HttpDate.TryParse(headers.Date, arrival, out _)
            ? headers.Date.ToString()
            : arrival.UtcDateTime.ToString("R");
        fields.Add(new HeaderField("Date", WellKnownFields.Share(date)));
        return ([.. fields], [.. withheld ?? []]);
    }

    /// <summary>Stored fields as a 304 or HEAD leaves them (RFC 9111 §3.2), before the filter; Age is the newer response's alone.</summary>
    internal static HeaderDictionary Merge(HeaderField[] stored, HeaderField[] withheld, IHeaderDictionary newer)
    {
        var merged = new HeaderDictionary(stored.Length + withheld.Length + newer.Count);
        foreach (var field in stored)
            merged[field.Name] = field.Value;
        foreach (var field in withheld)
            merged[field.Name] = field.Value;
        // The old Date would make the freshened response as old as the first one; a 304 without a Date came now.
        merged.Remove("Date");
        foreach (var (name, value) in newer)
        {
            if (!FieldFilter.DescribesStoredBody(name))
                merged[name] = value;
        }

        return merged;
    }

    /// <summary>The value of a field that has one line; null where it's absent or has several.</summary>
    internal static string? Single(HeaderField[] fields, string name)
    {
        foreach (var field in fields)
        {
            if (field.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                return field.Value.Count == 1 ? field.Value[0] : null;
        }

        return null;
    }

    /// <summary>Lines of a field, equal strings shared between heads unless they're likely to be unique.</summary>
    internal static StringValues Share(string name, StringValues value)
    {
        if (IsUnique(name))
            return value;
        if (value.Count == 1)
            return WellKnownFields.Share(value[0] ?? "");
        var lines = new string[value.Count];
        for (var i = 0; i < lines.Length; i++)
            lines[i] = WellKnownFields.Share(value[i] ?? "");
        return lines;
    }

    /// <summary>Values that no two responses have in common would only push out those that many have.</summary>
    private static bool IsUnique(string name) =>
        name.Equals("ETag", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Last-Modified", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Location", StringComparison.OrdinalIgnoreCase)
        || name.Equals("X-Request-Id", StringComparison.OrdinalIgnoreCase);
}
