using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>Which of several codings an Accept-Encoding likes best (RFC 9110 §12.5.3).</summary>
internal static class AcceptEncodingField
{
    /// <summary>Stands for the coding in which it's stored.</summary>
    internal const int AsStored = -1;

    private const int Unnamed = -1;

    /// <summary>
    /// The index of the coding to send, or <see cref="AsStored"/>: where none of them is liked as well as what is stored, where the
    /// field is absent, empty or malformed, and where nothing at all is acceptable, for an answer is better than none. Allocates nothing.
    /// </summary>
    /// <param name="lines">The field.</param>
    /// <param name="offered">The codings that may be sent, the preferred first; at most <see cref="CompressionPlan.MaxCodings"/>.</param>
    /// <param name="stored">The coding in which it's stored; null: identity.</param>
    internal static int Choose(StringValues lines, ReadOnlySpan<string> offered, string? stored)
    {
        Span<int> weights = stackalloc int[CompressionPlan.MaxCodings];
        weights.Fill(Unnamed);
        var (ofStored, ofOthers) = (Unnamed, Unnamed);
        var list = new WeightedList(lines);
        while (list.MoveNext())
        {
            if (list.Value is "*")
                ofOthers = Combine(ofOthers, list.Weight);
            if (Is(list.Value, stored ?? "identity"))
                ofStored = Combine(ofStored, list.Weight);
            for (var i = 0; i < offered.Length; i++)
            {
                if (Is(list.Value, offered[i]))
                    weights[i] = Combine(weights[i], list.Weight);
            }
        }

        if (list.IsMalformed)
            return AsStored;

        var (best, weightOfBest) = (AsStored, 0);
        for (var i = 0; i < offered.Length; i++)
        {
            var weight = weights[i] == Unnamed ? Math.Max(ofOthers, 0) : weights[i];
            if (weight > weightOfBest)
                (best, weightOfBest) = (i, weight);
        }

        // Identity that isn't named is acceptable, and what one sends who has nothing better.
        var weightAsStored = ofStored != Unnamed ? ofStored : Math.Max(ofOthers, 0);
        if (best == AsStored || weightAsStored > weightOfBest)
            return AsStored;
        return stored is not null && weightAsStored == weightOfBest && IsBefore(stored, best, offered) ? AsStored : best;
    }

    /// <summary>Of two weights for one coding the lower counts: whoever refuses something means it.</summary>
    private static int Combine(int earlier, int weight) => earlier == Unnamed ? weight : Math.Min(earlier, weight);

    /// <summary>Whether the stored coding is preferred to the best of the others, or is itself the best.</summary>
    private static bool IsBefore(string stored, int best, ReadOnlySpan<string> offered)
    {
        for (var i = 0; i <= best; i++)
        {
            if (Is(offered[i], stored))
                return true;
        }

        return false;
    }

    /// <summary>Names are case-insensitive, and <c>x-gzip</c> is <c>gzip</c> (RFC 9110 §8.4.1.3).</summary>
    private static bool Is(ReadOnlySpan<char> value, ReadOnlySpan<char> coding) =>
        value.Equals(coding, StringComparison.OrdinalIgnoreCase)
        || (coding is "gzip" && value.Equals("x-gzip", StringComparison.OrdinalIgnoreCase));
}
