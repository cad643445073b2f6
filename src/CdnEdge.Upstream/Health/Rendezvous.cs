using System.IO.Hashing;
using System.Text;

namespace CdnEdge.Upstream.Health;

/// <summary>
/// Which of several destinations a piece of content belongs to: rendezvous hashing (Thaler and Ravishankar, 1998), so that one that is
/// lost moves only its own share, with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2016), so that none gets far more than the others.
/// </summary>
internal static class Rendezvous
{
    /// <summary>How far above the mean a destination's requests under way may go before content moves on to its next choice.</summary>
    private const double LoadFactor = 1.25;

    /// <summary>So few requests are no load, however they spread.</summary>
    private const int Negligible = 8;

    /// <param name="candidates">At least one.</param>
    /// <param name="content">The same for all requests for the same content.</param>
    internal static UpstreamDestination Choose(List<UpstreamDestination> candidates, ulong content)
    {
        if (candidates.Count == 1)
            return candidates[0];

        var total = 1; // the one that is about to be made
        foreach (var candidate in candidates)
            total += candidate.InFlight;
        var bound = Math.Max(Negligible, (int)Math.Ceiling(LoadFactor * total / candidates.Count));

        UpstreamDestination? best = null;
        var highest = 0UL;
        foreach (var candidate in candidates)
        {
            if (candidate.InFlight >= bound)
                continue;
            var weight = WeightOf(candidate.Id, content);
            if (best is null || weight > highest)
                (best, highest) = (candidate, weight);
        }

        return best!; // somebody is below the mean
    }

    /// <summary>The same on every node and in every process.</summary>
    internal static ulong WeightOf(string id, ulong content)
    {
        Span<byte> name = stackalloc byte[256];
        var length = Encoding.UTF8.TryGetBytes(id, name, out var written) ? written : 0;
        return length > 0 ? XxHash3.HashToUInt64(name[..length], (long)content) : XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(id), (long)content);
    }
}
