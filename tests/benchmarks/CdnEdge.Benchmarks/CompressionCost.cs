using System.Globalization;
using CdnEdge.Caching;
using CdnEdge.Delivery.Compression;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Benchmarks;

/// <summary>How small stored bodies become in each coding, and what that takes a core: this repository's own sources as the text.</summary>
internal static class CompressionCost
{
    private static readonly int[] Sizes = [10_000, 100_000, 1 << 20, 4 << 20, 10 << 20];

    internal static void Run(TextWriter output)
    {
        var text = ReadSources();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{text.Length} bytes of C#; what is larger begins again, so look at its times only"));
        output.WriteLine("   bytes  coding   becomes    ratio  ms of CPU  ms per MiB");
        foreach (var size in Sizes)
        {
            var bytes = new byte[size];
            for (var i = 0; i < size; i++)
                bytes[i] = text[i % text.Length];
            foreach (var coding in CompressionProviders.BuiltIn.Codings.Order(StringComparer.Ordinal))
                Measure(bytes, coding, output);
        }
    }

    private static void Measure(byte[] bytes, string coding, TextWriter output)
    {
        using var arena = new SegmentArena();
        var body = GrowingBody.Create(arena, bytes.Length);
        body.Append(bytes);
        body.Seal();
        var best = double.MaxValue;
        var length = 0L;
        // Small ones often, for the JIT compiler comes to what is done often only.
        var begin = TimeProvider.System.GetTimestamp();
        for (var round = 0; round < 3 || TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(2); round++)
        {
            var encoded = new EncodedOutput(long.MaxValue);
            var before = Environment.CpuUsage.TotalTime;
            var outcome = BodyEncoder.Encode(body, Verdict(), coding, CompressionProviders.BuiltIn, encoded, static () => true);
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - before).TotalMilliseconds);
            if (outcome.Result != EncodingResult.Done)
                throw new InvalidOperationException($"{coding} of {bytes.Length} bytes: {outcome}");
            var made = encoded.ToBody(arena);
            length = made.Length;
            made.Release();
            encoded.Discard();
        }

        body.Release();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes.Length,8}  {coding,-6} {length,9}  {(double)bytes.Length / length,7:f2} {best,10:f1} {best * (1 << 20) / bytes.Length,11:f0}"));
    }

    private static CodingVerdict Verdict()
    {
        var policy = new CachePolicy();
        var headers = new HeaderDictionary { ["Content-Type"] = "text/plain" };
        var now = DateTimeOffset.UnixEpoch;
        var freshness = Freshness.Of(200, headers, ResponseDirectives.None, policy, now, now);
        return StoredHead.Create(200, headers, new HeaderDictionary(), ResponseDirectives.None, freshness, policy).CodingsUnder(policy.Compression.Plan);
    }

    private static byte[] ReadSources()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "CdnEdge.sln")))
            root = root.Parent ?? throw new InvalidOperationException("Run it within the repository.");
        return
        [
            .. Directory.EnumerateFiles(Path.Combine(root.FullName, "src"), "*.cs", SearchOption.AllDirectories)
                .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .SelectMany(File.ReadAllBytes),
        ];
    }
}
