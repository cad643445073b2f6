using System.Globalization;

namespace CdnEdge.Lab.Load;

/// <summary>
/// What clients ask for: objects that are held fresh, objects that expire, and ever new ones. Every second new one is asked for at
/// another node too, at the same time: one fill is enough for both.
/// </summary>
internal sealed class Catalogue(Tuning tuning, int seed)
{
    private const long FirstExpiring = 1_000_000;

    private const long FirstMiss = 2_000_000;

    private const int HeldSize = 4096;

    private const int MissSize = 8192;

    private const int LargeSize = 256 * 1024;

    private readonly Random _random = new(seed);
    private long _misses;
    private Arrival? _twin;

    /// <summary>A request of the load.</summary>
    internal readonly record struct Arrival(Kind Kind, long Number, int Node);

    /// <summary>How many objects expire.</summary>
    internal int Expiring { get; init; } = tuning.Expiring;

    /// <summary>The share of requests for new objects.</summary>
    internal double MissShare { get; init; } = 0.3;

    /// <summary>The share of those for objects that expire; the rest is for fresh ones.</summary>
    internal double ExpiringShare { get; init; } = 0.3;

    /// <summary>Asks the expiring ones in turn, each once before any a second time.</summary>
    internal bool InTurn { get; init; }

    private int _turn;

    /// <summary>The next request. Not for several threads at a time.</summary>
    internal Arrival Next(int nodes)
    {
        if (_twin is { } twin)
        {
            _twin = null;
            return twin;
        }

        var node = _random.Next(nodes);
        var share = _random.NextDouble();
        if (share < MissShare)
        {
            var miss = new Arrival(Kind.Miss, FirstMiss + _misses++, node);
            if (miss.Number % 2 == 0 && nodes > 1)
                _twin = miss with { Node = (node + 1) % nodes };
            return miss;
        }

        return share < MissShare + ExpiringShare
            ? new Arrival(Kind.Expiring, FirstExpiring + (InTurn ? _turn++ % Expiring : _random.Next(Expiring)), node)
            : new Arrival(Kind.Fresh, _random.Next(tuning.Fresh), node);
    }

    /// <summary>Every held object at every node, once.</summary>
    internal IEnumerable<Arrival> Held(int nodes)
    {
        for (var node = 0; node < nodes; node++)
        {
            for (var i = 0; i < tuning.Fresh; i++)
                yield return new Arrival(Kind.Fresh, i, node);
            for (var i = 0; i < Expiring; i++)
                yield return new Arrival(Kind.Expiring, FirstExpiring + i, node);
        }
    }

    internal static int Size(Kind kind, long number) => kind switch
    {
        Kind.Miss => number % 50 == 0 ? LargeSize : MissSize,
        _ => HeldSize,
    };

    /// <summary>Whether a path of an origin is that of an object that is asked for once.</summary>
    internal static bool IsMiss(string path) =>
        path.StartsWith("/o/", StringComparison.Ordinal) && long.Parse(path.AsSpan(3), CultureInfo.InvariantCulture) >= FirstMiss;

    internal string Target(Kind kind, long number) =>
        kind == Kind.Expiring
            ? $"/o/{number}?size={Size(kind, number)}&ttl={tuning.ExpiringTtl}&sie=3600"
            : $"/o/{number}?size={Size(kind, number)}&ttl=86400";
}
