namespace CdnEdge.Benchmarks;

/// <summary>A sequence of requests for numbered objects.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Requests">Object numbers, in order.</param>
/// <param name="Sizes">Size of each object in bytes.</param>
internal sealed record Trace(string Name, int[] Requests, int[] Sizes)
{
    /// <summary>Distinct objects that are asked for.</summary>
    internal int Footprint => Requests.Distinct().Count();

    /// <summary>Their bytes.</summary>
    internal long FootprintBytes => Requests.Distinct().Sum(number => (long)Sizes[number]);
}

/// <summary>Synthetic traces, the same at each run.</summary>
internal static class Traces
{
    /// <summary>Popularity by Zipf's law: the object of rank r is asked for in proportion to r^-alpha.</summary>
    /// <param name="alpha">0.7 to 1.0 is what web caches see.</param>
    /// <param name="scans">Mixes in a crawler: runs over objects that nobody else asks for, a fourth of all requests.</param>
    internal static Trace Zipf(double alpha, int objects, int requests, bool scans, bool sized)
    {
        var random = new Random(20231023);
        var cumulative = new double[objects];
        var sum = 0.0;
        for (var i = 0; i < objects; i++)
            cumulative[i] = sum += Math.Pow(i + 1, -alpha);

        var sequence = new List<int>(requests);
        var scanned = objects;
        while (sequence.Count < requests)
        {
            // Every 30 000 requests the crawler fetches 10 000 pages, each once.
            if (scans && sequence.Count % 40_000 == 30_000)
            {
                for (var i = 0; i < 10_000; i++)
                    sequence.Add(scanned++);
                continue;
            }

            var found = Array.BinarySearch(cumulative, random.NextDouble() * sum);
            sequence.Add(Math.Min(found < 0 ? ~found : found, objects - 1));
        }

        // Log-uniform from 512 B to 128 KiB, whatever the popularity.
        var sizes = new int[scanned];
        for (var i = 0; i < scanned; i++)
            sizes[i] = sized ? (int)(512 * Math.Pow(256, random.NextDouble())) : 1024;
        return new Trace($"Zipf {alpha:f1}{(scans ? " + scans" : "")}", [.. sequence.Take(requests)], sizes);
    }
}
