using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Upstream.HopByHop;

/// <summary>
/// The fields that a message's Connection field nominates: they're meant for the next hop only, and an intermediary
/// removes them (RFC 9110 §7.6.1).
/// </summary>
/// <remarks>
/// Kestrel rewrites a client's Connection to the one option that it knows in it (<c>close, X-A</c> arrives as
/// <c>close</c>), unless its octets are decoded so that more than one is seen: the guard's field encodings do that.
/// </remarks>
internal static class ConnectionOptions
{
    // A sender never nominates a field meant for every recipient (RFC 9110 §7.6.1), so who does wants something else:
    // to have framing, routing or loop detection (RFC 8586 §2) taken out from under the next hop.
    private static readonly FrozenSet<string> NeverNominated = new[]
    {
        "Host", "Content-Length", "Content-Type", "Content-Encoding", "Content-Range", "Transfer-Encoding",
        "Cache-Control", "Date", "Age", "Via", "CDN-Loop", "Forwarded",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    // Connection's own options, and what YARP restores by itself for an upgrade.
    private static readonly FrozenSet<string> NotFields = new[] { "close", "keep-alive", "upgrade" }
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The names in Connection that name a field to remove. No allocation for the usual values
    /// (<c>close</c>, <c>keep-alive</c>, <c>Upgrade</c>).
    /// </summary>
    public static IReadOnlyList<string> Nominated(StringValues connection)
    {
        if (connection.Count == 0 || (connection.Count == 1 && NotFields.Contains(connection[0]!))) return [];

        List<string>? names = null;
        foreach (var line in connection)
        {
            var rest = line.AsSpan();
            while (!rest.IsEmpty)
            {
                var comma = rest.IndexOf(',');
                var item = (comma < 0 ? rest : rest[..comma]).Trim(" \t");
                rest = comma < 0 ? default : rest[(comma + 1)..];
                if (item.IsEmpty) continue;

                var name = item.ToString();
                if (NotFields.Contains(name) || NeverNominated.Contains(name)) continue;
                (names ??= []).Add(name);
            }
        }

        return names ?? (IReadOnlyList<string>)[];
    }

    /// <summary>
    /// Removes from <paramref name="headers"/> what their Connection nominates. The cache calls it before it computes
    /// a key: a field that the origin won't see must not choose the variant that is stored. TE stays: it's this node that
    /// it's for.
    /// </summary>
    public static void RemoveNominated(IHeaderDictionary headers)
    {
        foreach (var name in Nominated(headers.Connection))
        {
            if (!name.Equals("TE", StringComparison.OrdinalIgnoreCase)) headers.Remove(name);
        }
    }
}
