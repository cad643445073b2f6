using BenchmarkDotNet.Running;
using CdnEdge.Benchmarks;
using CdnEdge.Benchmarks.Purging;

// dotnet run -c Release --project tests/benchmarks/CdnEdge.Benchmarks -- hit-ratio | overhead | purge | compression | (BenchmarkDotNet's arguments)
switch (args)
{
    case ["hit-ratio", ..]:
        HitRatio.Run(Console.Out);
        break;
    case ["overhead", ..]:
        Overhead.Run(Console.Out);
        break;
    case ["compression", ..]:
        CompressionCost.Run(Console.Out);
        break;
    case ["purge", ..]:
        PurgeCost.Run(Console.Out);
        await PurgeLatency.RunAsync(Console.Out);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(HitRatio).Assembly).Run(args);
        break;
}
