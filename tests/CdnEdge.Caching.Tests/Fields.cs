using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching.Tests;

/// <summary>Heads of messages, written as they stand on the wire: one line a field.</summary>
internal static class Fields
{
    internal static IHeaderDictionary Of(params string[] lines)
    {
        var headers = new HeaderDictionary();
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var name = line[..colon];
            headers[name] = StringValues.Concat(headers[name], line[(colon + 1)..].TrimStart(' ')); // Append would drop empty values
        }

        return headers;
    }
}
