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
            headers.Append(line[..colon], new StringValues(line[(colon + 1)..].TrimStart(' ')));
        }

        return headers;
    }
}
