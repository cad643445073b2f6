namespace CdnEdge.Caching;

/// <summary>
/// Remembers what recent Cache-Control lines parsed to: a site has a handful of them, so most stored responses share one
/// <see cref="ResponseDirectives"/> instead of keeping one each.
/// </summary>
internal static class DirectivesCache
{
    /// <summary>Longest line that is remembered, in characters.</summary>
    internal const int MaxLength = 256;

    private const int Slots = 256;

    private static readonly Entry?[] Entries = new Entry?[Slots];

    internal static ResponseDirectives? Find(string line) =>
        Volatile.Read(ref Slot(line)) is { } entry && entry.Line.Equals(line, StringComparison.Ordinal)
            ? entry.Directives
            : null;

    /// <summary>The last one to come keeps the slot: entries are immutable, so a race costs a parse at most.</summary>
    internal static void Add(string line, ResponseDirectives directives) =>
        Volatile.Write(ref Slot(line), new Entry(line, directives));

    private static ref Entry? Slot(string line) =>
        ref Entries[(uint)line.GetHashCode(StringComparison.Ordinal) % Slots];

    private sealed record Entry(string Line, ResponseDirectives Directives);
}
