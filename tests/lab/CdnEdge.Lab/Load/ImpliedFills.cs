namespace CdnEdge.Lab.Load;

/// <summary>How many requests the origins of a fleet have to see if there's one fill per object, and one each time that it has expired.</summary>
internal static class ImpliedFills
{
    /// <summary>A request of a client: when it was, for which object, and for how many seconds that stays fresh.</summary>
    internal readonly record struct Ask(DateTimeOffset At, long Number, int Ttl);

    /// <summary>The moments of the fills, in order.</summary>
    /// <param name="asks">In any order.</param>
    /// <param name="answerable">Whether anybody could answer a fill then; where nobody could, what has expired remains so.</param>
    /// <remarks>
    /// What is filled is as old as its Date says, which has whole seconds: it's fresh until the second of its fill plus its
    /// ttl, so for up to a second less than that (RFC 9111 §4.2.3).
    /// </remarks>
    internal static IReadOnlyList<DateTimeOffset> Of(IEnumerable<Ask> asks, Func<DateTimeOffset, bool> answerable)
    {
        var fills = new List<DateTimeOffset>();
        var freshUntil = new Dictionary<long, DateTimeOffset>();
        foreach (var ask in asks.OrderBy(static ask => ask.At))
        {
            if (freshUntil.TryGetValue(ask.Number, out var until) && ask.At < until || !answerable(ask.At))
                continue;
            fills.Add(ask.At);
            freshUntil[ask.Number] = DateTimeOffset.FromUnixTimeSeconds(ask.At.ToUnixTimeSeconds() + ask.Ttl);
        }

        return fills;
    }

    /// <summary>How many retries and hedged requests the nodes may add to them.</summary>
    /// <param name="implied">Fills within this time.</param>
    /// <param name="time">How long it was.</param>
    /// <param name="askers">Nodes that ask, each with a budget of its own.</param>
    /// <param name="share"><c>Retries:Budget</c>.</param>
    /// <param name="min"><c>Retries:MinBudget</c>, in 10 seconds.</param>
    internal static int Budget(int implied, TimeSpan time, int askers, double share, int min) =>
        (int)Math.Max(Math.Ceiling(implied * share), askers * min * Math.Max(1, Math.Ceiling(time.TotalSeconds / 10)));

    /// <summary>The most that may reach a group of origins: 1.1 times what is implied, and the budget.</summary>
    internal static int Limit(int implied, int budget) => (int)Math.Ceiling(implied * 1.1) + budget;
}
