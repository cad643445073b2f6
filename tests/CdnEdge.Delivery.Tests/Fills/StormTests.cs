using System.Collections.Concurrent;
using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Upstream.Tests.Scene;

namespace CdnEdge.Delivery.Tests.Fills;

/// <summary>Everything at once, for some seconds: afterwards no byte is missing and none is left behind.</summary>
public class StormTests
{
    private static readonly string[] Fields =
    [
        "", "", "", "Range: bytes=10-99\r\n", "Range: bytes=-5\r\n", "Range: bytes=0-1,5-9\r\n", "Cache-Control: no-cache\r\n",
        "Authorization: x\r\n", "Accept-Language: de\r\n", "If-None-Match: \"e\"\r\n", "Cache-Control: no-store\r\n",
    ];

    [Fact]
    public async Task After_a_storm_the_arena_holds_what_the_store_holds_and_nothing_else()
    {
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
            {
                if (!await AnswerAsync(connection, request))
                {
                    return;
                }
            }
        });
        await using var site = await CachedSite.StartAsync(origin, new CachePolicy { MaxObjectBytes = 100_000, UncacheableMarkerTtl = TimeSpan.FromMilliseconds(50) }, memory: 4 << 20);
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var wrong = new ConcurrentQueue<string>();

        await Task.WhenAll(Enumerable.Range(0, 24).Select(seed => Task.Run(() => StormAsync(site, new Random(seed), wrong, time.Token))));

        Assert.Empty(wrong);
        await CachedSite.UntilAsync(() => !AnyFill(site), "the fills' end");
        site.Memory.Dispose();
        await CachedSite.UntilAsync(() => site.Memory.Arena.OccupiedBytes == 0, $"empty arena, {site.Memory.Arena.OccupiedBytes} bytes are left");
        Assert.Empty(site.Logged);
    }

    [Fact]
    public async Task However_the_requests_for_a_new_URL_fall_it_is_fetched_once()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok");
        await using var site = await CachedSite.StartAsync(origin);
        var clients = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => site.ConnectAsync()));

        for (var i = 0; i < 300; i++)
        {
            await Task.WhenAll(clients.Select(async client =>
            {
                await client.SendAsync($"GET /{i} HTTP/1.1\r\nHost: a\r\n\r\n");
                await client.ReadUntilAsync("\r\n\r\nok");
            }));
        }

        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        Assert.Equal(300, origin.Requests.Count);
    }

    private static async Task StormAsync(CachedSite site, Random random, ConcurrentQueue<string> wrong, CancellationToken ends)
    {
        while (!ends.IsCancellationRequested)
        {
            await using var client = await site.ConnectAsync();
            for (var i = random.Next(1, 30); i > 0 && !ends.IsCancellationRequested; i--)
            {
                var kind = random.Next(10);
                var path = $"/{kind}/{random.Next(40)}";
                var method = random.Next(40) switch { 0 => "POST", 1 or 2 => "HEAD", _ => "GET" };
                var fields = method == "POST" ? "Content-Length: 0\r\n" : Fields[random.Next(Fields.Length)];
                await client.SendAsync($"{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
                if (random.Next(20) == 0)
                {
                    break;
                }

                try
                {
                    var head = await client.ReadHeadAsync();
                    if (method == "HEAD" || head.StartsWith("HTTP/1.1 304", StringComparison.Ordinal) || head.StartsWith("HTTP/1.1 204", StringComparison.Ordinal))
                    {
                        continue;
                    }

                    var length = head.Split("Content-Length: ");
                    var body = length.Length < 2
                        ? await client.ReadUntilAsync("\r\n0\r\n\r\n")
                        : await client.ReadAsync(int.Parse(length[1].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture));
                    if (head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) && length.Length == 2 && body != BodyOf(path))
                    {
                        wrong.Enqueue($"{method} {path} {fields}: {head}{body.Length} bytes");
                    }
                    else if (length.Length < 2 && body.Count(c => c == path[^1]) < 3000 && kind == 6)
                    {
                        wrong.Enqueue($"{method} {path}: short and looks whole");
                    }
                }
                catch (IOException)
                {
                    // A broken origin's answer is broken off.
                    break;
                }
            }
        }
    }

    private static string BodyOf(string path)
    {
        var kind = path[1] - '0';
        var length = kind switch { 4 => 300_000, 5 => 70_000, _ => 3000 };
        return new string(path[^1], length);
    }

    private static async Task<bool> AnswerAsync(OriginConnection connection, string request)
    {
        var words = request.Split(' ');
        var (method, path) = (words[0], words[1]);
        if (method == "POST")
        {
            await connection.SendAsync("HTTP/1.1 204 No Content\r\n\r\n");
            return true;
        }

        var body = BodyOf(path);
        var common = "ETag: \"e\"\r\n" + (path[1] switch
        {
            '0' => "Cache-Control: no-store\r\n",
            '1' => "Cache-Control: max-age=0, stale-while-revalidate=100\r\n",
            '2' => "Cache-Control: max-age=60\r\nVary: Accept-Language\r\n",
            '3' => "Cache-Control: max-age=0\r\n",
            _ => "Cache-Control: max-age=1\r\n",
        });
        if (request.Contains("If-None-Match") && path[1] is '1' or '3')
        {
            await connection.SendAsync($"HTTP/1.1 304 Not Modified\r\n{common}\r\n");
            return true;
        }

        if (method == "HEAD")
        {
            await connection.SendAsync($"HTTP/1.1 200 OK\r\n{common}Content-Length: {body.Length}\r\n\r\n");
            return true;
        }

        if (path[1] == '6')
        {
            await connection.SendAsync($"HTTP/1.1 200 OK\r\n{common}Transfer-Encoding: chunked\r\n\r\nbb8\r\n{body}\r\n0\r\n\r\n");
            return true;
        }

        if (path[1] == '7')
        {
            await connection.SendAsync($"HTTP/1.1 200 OK\r\n{common}Content-Length: {body.Length}\r\n\r\n{body[..1000]}");
            connection.Reset();
            return false;
        }

        if (path[1] is '8' or '9' && request.Contains("Range: bytes=10-99"))
        {
            await connection.SendAsync($"HTTP/1.1 206 Partial Content\r\n{common}Content-Range: bytes 10-99/{body.Length}\r\nContent-Length: 90\r\n\r\n{body[10..100]}");
            return true;
        }

        await connection.SendAsync($"HTTP/1.1 200 OK\r\n{common}Content-Length: {body.Length}\r\n\r\n{body}");
        return true;
    }

    private static bool AnyFill(CachedSite site) =>
        Enumerable.Range(0, 10).SelectMany(kind => Enumerable.Range(0, 40).Select(n => $"/{kind}/{n}")).Any(path => site.FillOf(path) is not null);
}
