namespace CdnEdge.Delivery.Configuration;

/// <summary>Guesses which name was meant.</summary>
internal static class NearestName
{
    /// <returns><c>; did you mean 'MaxTtl'?</c>, or the names there are if none is near.</returns>
    internal static string Hint(string typed, IEnumerable<string> names)
    {
        var all = names.Order(StringComparer.OrdinalIgnoreCase).ToList();
        return Of(typed, all) is { } near ? $"; did you mean '{near}'?"
            : all.Count == 0 ? ""
            : $"; there are: {string.Join(", ", all)}";
    }

    /// <returns>The name that takes the fewest slips of the keyboard to become what was typed; null if all take too many.</returns>
    internal static string? Of(string typed, IEnumerable<string> names) =>
        // A name that differs by more letters than that takes too many anyway, and to find out how many costs their product.
        names.Where(n => Math.Abs(typed.Length - n.Length) <= Most(n))
            .Select(n => (Name: n, Distance: Distance(typed.ToUpperInvariant(), n.ToUpperInvariant())))
            .Where(n => n.Distance <= Most(n.Name))
            .OrderBy(n => n.Distance)
            .Select(n => n.Name)
            .FirstOrDefault();

    private static int Most(string name) => Math.Max(1, name.Length / 3);

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var substitution = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + substitution);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
