using BenchmarkDotNet.Running;
using CdnEdge.Benchmarks;

// dotnet run -c Release --project tests/benchmarks/CdnEdge.Benchmarks -- hit-ratio | overhead | (BenchmarkDotNet's arguments)
switch (args)
{
    case ["hit-ratio", ..]:
        HitRatio.Run(Console.Out);
        break;
    case ["overhead", ..]:
        Overhead.Run(Console.Out);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(HitRatio).Assembly).Run(args);
        break;
}
