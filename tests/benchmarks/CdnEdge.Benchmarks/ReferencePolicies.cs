namespace CdnEdge.Benchmarks;

/// <summary>What the tier's hit ratio is compared with. Capacity and sizes are in the same unit; each returns the number of hits.</summary>
internal static class ReferencePolicies
{
    /// <summary>Least recently used goes.</summary>
    internal static int Lru(int[] requests, int[] sizes, long capacity)
    {
        var order = new LinkedList<int>();
        var nodes = new Dictionary<int, LinkedListNode<int>>();
        long used = 0;
        var hits = 0;
        foreach (var number in requests)
        {
            if (nodes.TryGetValue(number, out var node))
            {
                hits++;
                order.Remove(node);
                order.AddLast(node);
                continue;
            }

            if (sizes[number] > capacity)
                continue;
            for (used += sizes[number]; used > capacity; order.RemoveFirst())
            {
                used -= sizes[order.First!.Value];
                nodes.Remove(order.First.Value);
            }

            nodes[number] = order.AddLast(number);
        }

        return hits;
    }

    /// <summary>
    /// Belady's MIN: whose next use is furthest goes, the newcomer itself included. Optimal for objects of one size. For
    /// objects of different sizes the optimum is NP-hard; this is then a good approximation, neither bound.
    /// </summary>
    internal static int Belady(int[] requests, int[] sizes, long capacity)
    {
        var nextUse = new int[requests.Length];
        var seen = new Dictionary<int, int>();
        for (var i = requests.Length - 1; i >= 0; i--)
        {
            nextUse[i] = seen.TryGetValue(requests[i], out var next) ? next : int.MaxValue;
            seen[requests[i]] = i;
        }

        var stored = new SortedSet<(int NextUse, int Number)>();
        var usedNext = new Dictionary<int, int>();
        long used = 0;
        var hits = 0;
        for (var i = 0; i < requests.Length; i++)
        {
            var number = requests[i];
            if (usedNext.Remove(number, out var expected))
            {
                hits++;
                stored.Remove((expected, number));
                used -= sizes[number];
            }

            if (nextUse[i] == int.MaxValue)
                continue;
            stored.Add((nextUse[i], number));
            usedNext[number] = nextUse[i];
            for (used += sizes[number]; used > capacity;)
            {
                var furthest = stored.Max;
                stored.Remove(furthest);
                usedNext.Remove(furthest.Number);
                used -= sizes[furthest.Number];
            }
        }

        return hits;
    }
}
