using CdnEdge.FaultyOrigin;
using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Scenarios;

/// <summary>The scenarios of failover.</summary>
internal static class AllScenarios
{
    private static readonly Step Before = new("before") { SparesMisses = true };

    internal static IReadOnlyList<Scenario> List { get; } =
    [
        new("a", "the regional origins killed, one after the other",
        [
            Before,
            new("regional-1 killed")
            {
                Act = static lab => lab.Regional[0].KillAsync(),
                Next = static answer => answer.Origin is not "regional-1",
                SparesMisses = true,
            },
            new("regional-2 killed too")
            {
                Act = static lab => lab.Regional[1].KillAsync(),
                Next = IsFromCore,
                SparesMisses = true,
            },
            new("both back") { Act = RegionBackAsync, Back = IsFromRegion },
        ]),

        new("b", "one of two regional origins 10 times slower",
        [
            Before,
            new("regional-1 10 times slower")
            {
                Act = static lab => lab.Regional[0].SufferAsync(new Fault { SlowFactor = 10 }),
            },
            new("as fast as before") { Act = static lab => lab.Regional[0].HealAsync(), Back = static answer => answer.Origin is "regional-1" },
        ]),

        new("c", "20 % of the answers of both regional origins reset, before the head or within the body",
        [
            Before,
            new("20 % resets")
            {
                Act = static lab => Task.WhenAll(
                    lab.Regional[0].SufferAsync(new Fault { ResetRate = 0.2 }),
                    lab.Regional[1].SufferAsync(new Fault { ResetRate = 0.2, ResetAfter = 2000 })),
            },
            new("none") { Act = static lab => Task.WhenAll(lab.Regional.Select(static origin => origin.HealAsync())) },
        ]),

        new("d", "the shield killed",
        [
            Before,
            new("fra-1 killed")
            {
                Act = static lab => lab.Shield!.KillAsync(),
                Next = static answer => !answer.IsThroughPeer,
                SparesMisses = true,
            },
            new("fra-1 back") { Act = static lab => lab.Shield!.StartAgainAsync(), Back = static answer => answer.IsThroughPeer },
        ]),

        new("e", "Redis killed together with the regional origins",
        [
            Before,
            new("Redis and region killed")
            {
                Act = static lab => Task.WhenAll(RegionKilledAsync(lab), lab.Redis!.KillAsync()),
                Next = IsFromCore,
            },
            new("all back")
            {
                Act = static lab => Task.WhenAll(RegionBackAsync(lab), lab.Redis!.StartAgainAsync()),
                Back = IsFromRegion,
            },
        ]),

        new("f", "the core gone too, then back",
        [
            Before,
            new("region killed") { Act = RegionKilledAsync, Next = IsFromCore },
            new("core killed too") { Act = static lab => lab.Core.KillAsync(), IsGone = true },
            new("core back") { Act = static lab => lab.Core.StartAgainAsync(), Back = IsFromCore },
            new("region back") { Act = RegionBackAsync, Back = IsFromRegion },
        ]),

        new("g", "the origins return, and 5 minutes' worth of objects has expired",
        [
            Before,
            new("all origins killed")
            {
                Act = static lab => Task.WhenAll(RegionKilledAsync(lab), lab.Core.KillAsync()),
                IsGone = true,
            },
            new("all back, all asked for")
            {
                Act = static lab => Task.WhenAll(RegionBackAsync(lab), lab.Core.StartAgainAsync()),
                Back = IsFromRegion,
                IsBurst = true,
            },
            new("after"),
        ])
        { ExpiresAtOnce = true },
    ];

    private static bool IsFromCore(Answered answer) => answer.Origin is "core-1";

    private static bool IsFromRegion(Answered answer) => answer.Origin is "regional-1" or "regional-2";

    private static Task RegionKilledAsync(Topology lab) => Task.WhenAll(lab.Regional.Select(static origin => origin.KillAsync()));

    private static Task RegionBackAsync(Topology lab) => Task.WhenAll(lab.Regional.Select(static origin => origin.StartAgainAsync()));
}
