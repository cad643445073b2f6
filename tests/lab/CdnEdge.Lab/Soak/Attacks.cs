using System.Globalization;
using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Soak;

/// <summary>What attackers and broken clients do, each on a connection of its own. docs/security.md tells of them.</summary>
internal static class Attacks
{
    /// <param name="Name">What it is.</param>
    /// <param name="IsOverTls">HTTP/2 too, if it says so in its name.</param>
    /// <param name="RunAsync">Does it, until the node has had enough or so does the attacker.</param>
    internal sealed record Attack(string Name, bool IsOverTls, Func<AttackConnection, Task> RunAsync);

    internal static IReadOnlyList<Attack> List { get; } =
    [
        new("abort within a hit", false, static client => AbortAsync(client, Visitors.LargeTarget(Random.Shared.Next(Visitors.Large)))),
        new("abort within a miss", false, static client => AbortAsync(client, New(Visitors.LargeSize))),
        new("abort before the head", false, static async client =>
        {
            await client.SendAsync(Get(New(4096)));
            client.Reset();
        }),
        new("abort over TLS", true, static client => AbortAsync(client, New(Visitors.LargeSize))),
        new("slow head", false, static client => client.DripAsync($"GET {New(4096)} HTTP/1.1\r\nHost: {Topology.Site}\r\nX-Slow: ")),
        new("slow body", false, static client => client.DripAsync($"POST {New(4096)} HTTP/1.1\r\nHost: {Topology.Site}\r\nContent-Length: 100000\r\n\r\n")),
        new("slow read", false, static async client =>
        {
            await client.SendAsync(Get(Visitors.LargeTarget(0)));
            await client.WaitAsync();
        }),
        new("silence in the TLS handshake", false, static async client =>
        {
            await client.SendAsync("\u0016\u0003\u0001\u0002");
            await client.WaitAsync();
        }),
        new("both lengths", false, static client => AskAsync(client, $"POST /o/1 HTTP/1.1\r\nHost: {Topology.Site}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")),
        new("an unknown coding", false, static client => AskAsync(client, $"POST /o/1 HTTP/1.1\r\nHost: {Topology.Site}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")),
        new("octets at random", false, static async client =>
        {
            var octets = new byte[2000];
            Random.Shared.NextBytes(octets);
            await client.SendAsync(octets);
            await client.ReadToEndAsync();
        }),
        new("an oversized head for what is held", false, static client => AskAsync(client, Get(Held(), $"X-Oversized: {new string('x', 60_000)}"))),
        new("a meta character for what is held", false, static client => AskAsync(client, Get(Held(), "X-Meta: \u0007"))),
        new("another method for what is held", false, static client => AskAsync(client, Get(Held(), "X-HTTP-Method-Override: DELETE"))),
        new("another host for what is held", false, static client => AskAsync(client, Get(Held(), "X-Forwarded-Host: evil.example"))),
        new("many ranges", false, static client => AskAsync(client, Get(Visitors.LargeTarget(1), $"Range: bytes={string.Join(',', Enumerable.Range(0, 500).Select(static i => $"{i}-"))}"))),
        new("random queries", false, static async client =>
        {
            for (var i = 0; i < 20; i++)
                await client.SendAsync(Get($"{Held()}&bust={Random.Shared.NextInt64()}"));
            await AskAsync(client, Get(Held()));
        }),
        new("HTTP/2 rapid reset", true, static client => FloodAsync(client, static i =>
        {
            var stream = (int)(2 * (i % 1_000_000)) + 3;
            return
            [
                .. Http2Frame.Of(FrameType.Headers, Http2Frame.EndStream | Http2Frame.EndHeaders, stream, Http2Request(New(4096))),
                .. Http2Frame.Of(FrameType.RstStream, 0, stream, Http2Frame.Number(8)),
            ];
        })),
        new("HTTP/2 PING flood", true, static client => FloodAsync(client, static _ => Http2Frame.Of(FrameType.Ping, 0, 0, new byte[8]))),
        new("HTTP/2 SETTINGS flood", true, static client => FloodAsync(client, static _ => Http2Frame.Of(FrameType.Settings, 0, 0, []))),
        new("HTTP/2 CONTINUATION flood", true, static client => FloodAsync(client, static i => i == 0
            ? Http2Frame.Of(FrameType.Headers, Http2Frame.EndStream, 3, Http2Request(Held()))
            : Http2Frame.Of(FrameType.Continuation, 0, 3, Http2Frame.Block(("x-a", new string('y', 100)))))),
        new("HTTP/2 without windows", true, static async client =>
        {
            await client.BeginHttp2Async(window: 0);
            for (var stream = 3; stream < 43; stream += 2)
                await client.SendAsync(Http2Frame.Of(FrameType.Headers, Http2Frame.EndStream | Http2Frame.EndHeaders, stream, Http2Request(Visitors.LargeTarget(2))));
            await client.WaitAsync();
        }),
    ];

    private static string Held() => Visitors.HeldTarget(Random.Shared.Next(Visitors.Held));

    private static string New(int size) =>
        string.Create(CultureInfo.InvariantCulture, $"/o/{Random.Shared.Next(100_000_000, 1_000_000_000)}?size={size}&ttl=600");

    private static string Get(string target, string? field = null) =>
        $"GET {target} HTTP/1.1\r\nHost: {Topology.Site}\r\n{(field is null ? "" : field + "\r\n")}\r\n";

    private static byte[] Http2Request(string target) =>
        Http2Frame.Block((":method", "GET"), (":scheme", "https"), (":authority", Topology.Site), (":path", target));

    private static async Task AbortAsync(AttackConnection client, string target)
    {
        await client.SendAsync(Get(target));
        await client.ReadAsync(10_000);
        client.Reset();
    }

    private static async Task AskAsync(AttackConnection client, string request)
    {
        await client.SendAsync(request);
        await client.SendAsync($"GET /o/0 HTTP/1.1\r\nHost: {Topology.Site}\r\nConnection: close\r\n\r\n");
        await client.ReadToEndAsync();
    }

    private static async Task FloodAsync(AttackConnection client, Func<long, byte[]> frame)
    {
        await client.BeginHttp2Async(window: 65_535);
        await client.FloodAsync(frame);
    }
}
