using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Delivery.Tests.Fills;

/// <summary>Fills between raw clients and a raw origin: what is shared, what is stored, what neither.</summary>
public class SharedFillTests
{
    private const string Fresh = "Cache-Control: max-age=60\r\n";

    [Fact]
    public async Task A_storable_fill_goes_on_without_clients_and_is_stored()
    {
        var rest = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync($"HTTP/1.1 200 OK\r\n{Fresh}Content-Length: 4\r\n\r\nab");
            await rest.Task;
            await connection.SendAsync("cd");
        });
        await using var site = await CachedSite.StartAsync(origin);
        await using (var client = await site.ConnectAsync())
        {
            await client.SendAsync("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadUntilAsync("\r\n\r\nab");
        }

        rest.SetResult();

        await CachedSite.UntilAsync(() => site.Memory.Count == 1, "the stored response");
        Assert.EndsWith("\r\n\r\nabcd", await site.GetAsync("/x"));
        Assert.Single(origin.Requests);
    }

    [Fact]
    public async Task Who_asks_again_once_the_whole_is_there_has_it_validated()
    {
        // A fill whose last steps, when everything has been sent on, take their time.
        var ended = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
                await connection.SendAsync(
                    request.Contains("If-None-Match: \"1\"", StringComparison.Ordinal)
                        ? "HTTP/1.1 304 Not Modified\r\nCache-Control: no-cache\r\nETag: \"1\"\r\n\r\n"
                        : "HTTP/1.1 200 OK\r\nCache-Control: no-cache\r\nETag: \"1\"\r\nContent-Length: 4\r\n\r\nabcd");
        });
        await using var site = await CachedSite.StartAsync(origin, proxy: pipeline => pipeline.Use(async (context, next) =>
        {
            await next(context);
            if (context.Response.StatusCode == 200)
                await ended.Task;
        }));

        for (var i = 0; i < 3; i++)
        {
            await using var client = await site.ConnectAsync();
            await client.SendAsync("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadUntilAsync("\r\n\r\nabcd");
        }

        ended.SetResult();
        Assert.Equal(1, origin.Requests.Count(request => !request.Contains("If-None-Match", StringComparison.Ordinal)));
        Assert.Equal(3, origin.Requests.Count);
    }

    [Fact]
    public async Task The_last_client_leaving_what_is_not_stored_hangs_up_on_the_origin()
    {
        var hungUp = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 4\r\n\r\nab");
            try
            {
                await connection.ReadRequestAsync();
            }
            finally
            {
                hungUp.SetResult();
            }
        });
        await using var site = await CachedSite.StartAsync(origin);
        await using (var client = await site.ConnectAsync())
        {
            await client.SendAsync("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadUntilAsync("\r\n\r\nab");
        }

        await hungUp.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await CachedSite.UntilAsync(() => site.Memory.Arena.OccupiedBytes == 0, "the bytes' release");
    }

    [Theory]
    [InlineData("POST", "", 0)]
    [InlineData("OPTIONS", "", 1)]
    public async Task A_change_while_a_fill_is_under_way_keeps_its_answer_out_of_the_store(string method, string fields, int stored)
    {
        var rest = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
            {
                if (!request.StartsWith("GET", StringComparison.Ordinal))
                {
                    await connection.SendAsync("HTTP/1.1 204 No Content\r\n\r\n");
                    continue;
                }

                await connection.SendAsync($"HTTP/1.1 200 OK\r\n{Fresh}Content-Length: 4\r\n\r\nol");
                await rest.Task;
                await connection.SendAsync("d!");
            }
        });
        await using var site = await CachedSite.StartAsync(origin);
        await using var client = await site.ConnectAsync();
        await client.SendAsync("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\nol");

        Assert.StartsWith("HTTP/1.1 204", await site.AskAsync(method, "/x", fields + "Content-Length: 0\r\n"));
        rest.SetResult();
        Assert.Equal("d!", await client.ReadAsync(2));

        await site.GetAsync("/elsewhere");
        Assert.Equal(stored, site.Memory.Find(site.Key("/x"))?.Variants.Length ?? 0);
    }

    [Fact]
    public async Task A_change_while_a_HEAD_is_under_way_is_not_undone_by_it()
    {
        var rest = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
            {
                if (request.StartsWith("HEAD", StringComparison.Ordinal))
                {
                    await rest.Task;
                }

                await connection.SendAsync(request.StartsWith("POST", StringComparison.Ordinal)
                    ? "HTTP/1.1 204 No Content\r\n\r\n"
                    : $"HTTP/1.1 200 OK\r\n{Fresh}ETag: \"a\"\r\nContent-Length: 2\r\n\r\n{(request.StartsWith("GET", StringComparison.Ordinal) ? "ab" : "")}");
            }
        });
        await using var site = await CachedSite.StartAsync(origin);
        await site.GetAsync("/x");
        var head = site.AskAsync("HEAD", "/x", "Cache-Control: no-cache\r\n");
        await CachedSite.UntilAsync(() => origin.Requests.Count == 2, "the HEAD");
        await site.AskAsync("POST", "/x", "Content-Length: 0\r\n");
        rest.SetResult();

        Assert.StartsWith("HTTP/1.1 200", await head);
        Assert.Equal(0, site.Memory.Count);
        Assert.Equal(0, site.Memory.Arena.OccupiedBytes);
    }

    [Fact]
    public async Task Waiters_of_another_variant_or_with_credentials_get_their_own_answer()
    {
        var go = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
            {
                var language = request.Contains("Accept-Language: de") ? "de" : request.Contains("Authorization") ? "me" : "en";
                if (language != "me")
                {
                    await go.Task;
                }

                await connection.SendAsync($"HTTP/1.1 200 OK\r\n{Fresh}Vary: Accept-Language\r\nContent-Length: 2\r\n\r\n{language}");
            }
        });
        await using var site = await CachedSite.StartAsync(origin);
        var english = Enumerable.Range(0, 5).Select(_ => site.GetAsync("/x", "Accept-Language: en\r\n")).ToArray();
        var german = Enumerable.Range(0, 5).Select(_ => site.GetAsync("/x", "Accept-Language: de\r\n")).ToArray();

        Assert.EndsWith("\r\n\r\nme", await site.GetAsync("/x", "Accept-Language: en\r\nAuthorization: Basic eDp5\r\n"));
        go.SetResult();

        Assert.All(await Task.WhenAll(english), answer => Assert.EndsWith("\r\n\r\nen", answer));
        Assert.All(await Task.WhenAll(german), answer => Assert.EndsWith("\r\n\r\nde", answer));
    }

    [Theory]
    [InlineData("Content-Length: 5\r\n\r\nNEWER", "\r\n\r\nNEWER")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nNEWER\r\n0\r\n\r\n", "\r\n\r\n5\r\nNEWER\r\n0\r\n\r\n")]
    public async Task A_whole_in_place_of_the_missing_part_takes_no_byte_of_the_old_parts(string whole, string passed)
    {
        await using var origin = RawOrigin.Answering(request => request.Contains("Range: bytes=5-9")
            ? $"HTTP/1.1 206 Partial Content\r\n{Fresh}ETag: \"a\"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789"
            : $"HTTP/1.1 200 OK\r\n{Fresh}ETag: \"b\"\r\n{whole}");
        await using var site = await CachedSite.StartAsync(origin);
        Assert.EndsWith("56789", await site.GetAsync("/x", "Range: bytes=5-9\r\n"));

        Assert.EndsWith(passed, await site.GetAsync("/x"));
        await CachedSite.UntilAsync(() => site.FillOf("/x") is null, "the fill's end");
        Assert.EndsWith("\r\n\r\nNEWER", await site.GetAsync("/x"));

        Assert.Equal(2, origin.Requests.Count);
        Assert.Empty(site.Logged);
    }

    [Fact]
    public async Task A_request_that_looked_before_another_fill_ended_finds_what_that_stored()
    {
        var time = new GatedTime();
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=1\r\nContent-Length: 2\r\n\r\nok");
        await using var site = await CachedSite.StartAsync(origin, time: time);
        await site.GetAsync("/x");
        time.Advance(TimeSpan.FromSeconds(5));

        // The first one is held between its look into the store and its fill, while the second fetches.
        var held = time.HoldNextCaller();
        var first = site.GetAsync("/x");
        await held.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.EndsWith("\r\n\r\nok", await site.GetAsync("/x"));
        await CachedSite.UntilAsync(() => site.FillOf("/x") is null, "the second's fill's end");
        time.LetGo();

        Assert.EndsWith("\r\n\r\nok", await first);
        Assert.Equal(2, origin.Requests.Count);
    }

    [Theory]
    [InlineData("Content-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\n01234", true)]
    [InlineData("Content-Range: bytes 0-4/10\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\n\r\n", true)]
    [InlineData("Content-Range: bytes 0-4/10\r\nContent-Length: 10\r\n\r\nabcdefghij", false)]
    [InlineData("Content-Range: bytes 0-4/10\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false)]
    public async Task A_part_of_another_length_than_it_says_completes_nothing(string second, bool completes)
    {
        await using var origin = RawOrigin.Answering(request => request.Contains("Range: bytes=5-9")
            ? $"HTTP/1.1 206 Partial Content\r\n{Fresh}ETag: \"a\"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789"
            : request.Contains("Range: ") ? $"HTTP/1.1 206 Partial Content\r\n{Fresh}ETag: \"a\"\r\n{second}"
            : $"HTTP/1.1 200 OK\r\n{Fresh}ETag: \"a\"\r\nContent-Length: 10\r\n\r\n0123456789");
        await using var site = await CachedSite.StartAsync(origin);
        await site.GetAsync("/x", "Range: bytes=5-9\r\n");

        var answer = await site.GetAsync("/x");

        Assert.Equal(completes, answer.EndsWith("\r\n\r\n0123456789", StringComparison.Ordinal));
        await CachedSite.UntilAsync(() => site.FillOf("/x") is null, "the fill's end");
        Assert.DoesNotContain("abc", await site.GetAsync("/x", "Cache-Control: only-if-cached\r\n"));
    }

    [Fact]
    public async Task A_HEAD_has_no_use_for_a_part()
    {
        await using var origin = RawOrigin.Answering(request => request.StartsWith("HEAD", StringComparison.Ordinal)
            ? $"HTTP/1.1 200 OK\r\n{Fresh}ETag: \"a\"\r\nContent-Length: 10\r\n\r\n"
            : $"HTTP/1.1 206 Partial Content\r\n{Fresh}ETag: \"a\"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789");
        await using var site = await CachedSite.StartAsync(origin);
        await site.GetAsync("/x", "Range: bytes=5-9\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", await site.AskAsync("HEAD", "/x", "Range: bytes=5-9\r\n"));
    }

    [Theory]
    [InlineData("416 Range Not Satisfiable\r\nContent-Range: bytes */4")]
    [InlineData("206 Partial Content\r\nContent-Range: bytes 0-4/10")]
    public async Task What_answers_a_range_only_is_no_answer_to_the_whole(string head)
    {
        await using var origin = RawOrigin.Answering($"HTTP/1.1 {head}\r\n{Fresh}Content-Length: 5\r\n\r\n01234");
        await using var site = await CachedSite.StartAsync(origin);

        Assert.StartsWith("HTTP/1.1 " + head[..3], await site.GetAsync("/x"));
        await CachedSite.UntilAsync(() => site.FillOf("/x") is null, "the fill's end");
        Assert.Equal(0, site.Memory.Count);
    }

    [Fact]
    public async Task One_background_revalidation_at_a_time_and_another_after_it_failed()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var first = true;
        var go = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                if (!first)
                {
                    await go.Task;
                    connection.Reset();
                    return;
                }

                first = false;
                await connection.SendAsync("HTTP/1.1 200 OK\r\nCache-Control: max-age=1, stale-while-revalidate=1000\r\nETag: \"a\"\r\nContent-Length: 2\r\n\r\nab");
            }
        });
        await using var site = await CachedSite.StartAsync(origin, time: time);
        await site.GetAsync("/x");
        time.Advance(TimeSpan.FromSeconds(5));

        Assert.All(await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => site.GetAsync("/x"))), answer => Assert.EndsWith("\r\n\r\nab", answer));
        await CachedSite.UntilAsync(() => origin.Requests.Count >= 2, "the revalidation");
        Assert.Equal(2, origin.Requests.Count);
        go.SetResult();
        await CachedSite.UntilAsync(() => site.FillOf("/x") is null, "its end");

        // Let the failed one's last steps pass: a later hit starts another.
        var before = origin.Requests.Count;
        await CachedSite.UntilAsync(
            () =>
            {
                _ = site.GetAsync("/x").Wait(TimeSpan.FromSeconds(20));
                return origin.Requests.Count > before;
            },
            "another revalidation");
    }

    [Fact]
    public async Task A_background_revalidation_that_brings_no_store_drops_what_is_stored()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var first = true;
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                // The second one's body never ends: nobody waits for it.
                await connection.SendAsync(first
                    ? "HTTP/1.1 200 OK\r\nCache-Control: max-age=1, stale-while-revalidate=1000\r\nETag: \"a\"\r\nContent-Length: 2\r\n\r\nab"
                    : "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 9\r\n\r\nab");
                first = false;
            }
        });
        await using var site = await CachedSite.StartAsync(origin, time: time);
        await site.GetAsync("/x");
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.EndsWith("\r\n\r\nab", await site.GetAsync("/x"));

        await CachedSite.UntilAsync(() => site.Memory.Count == 0, "the removal");
        await CachedSite.UntilAsync(() => site.Memory.Arena.OccupiedBytes == 0, "the bytes' release");
    }

    [Fact]
    public async Task Interim_responses_and_trailers_reach_every_waiter()
    {
        var hint = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            await hint.Task;
            await connection.SendAsync("HTTP/1.1 103 Early Hints\r\nLink: </s>; rel=preload\r\n\r\n");
            await go.Task;
            await connection.SendAsync($"HTTP/1.1 200 OK\r\n{Fresh}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 7\r\n\r\n");
            await connection.ReadRequestAsync();
        });
        await using var site = await CachedSite.StartAsync(origin);
        await using var one = await site.ConnectAsync();
        await using var two = await site.ConnectAsync();
        foreach (var client in new[] { one, two })
        {
            await client.SendAsync("GET /x HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
        }

        await CachedSite.UntilAsync(() => origin.Requests.Count == 1, "the request");
        hint.SetResult();
        foreach (var client in new[] { one, two })
        {
            Assert.StartsWith("HTTP/1.1 103", await client.ReadHeadAsync());
        }

        go.SetResult();
        foreach (var client in new[] { one, two })
        {
            Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync());
            Assert.Contains("X-Sum: 7", await client.ReadUntilAsync("0\r\nX-Sum: 7\r\n"), StringComparison.OrdinalIgnoreCase);
        }

        Assert.Single(origin.Requests);
    }

    [Fact]
    public async Task A_client_that_leaves_before_the_head_costs_nobody_anything()
    {
        var go = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            await go.Task;
            await connection.SendAsync($"HTTP/1.1 200 OK\r\n{Fresh}Content-Length: 2\r\n\r\nab");
        });
        await using var site = await CachedSite.StartAsync(origin);
        var first = await site.ConnectAsync();
        await first.SendAsync("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        await CachedSite.UntilAsync(() => origin.Requests.Count == 1, "the request");
        var second = site.GetAsync("/x");
        await first.DisposeAsync();
        go.SetResult();

        Assert.EndsWith("\r\n\r\nab", await second);
        Assert.Single(origin.Requests);
        Assert.Empty(site.Logged);
    }

    [Fact]
    public async Task A_shutdown_in_the_middle_of_fills_logs_no_error()
    {
        await using var origin = RawOrigin.Serving(async connection =>
        {
            var request = await connection.ReadRequestAsync();
            if (request!.Contains("/body"))
            {
                await connection.SendAsync($"HTTP/1.1 200 OK\r\n{Fresh}Content-Length: 4\r\n\r\nab");
            }

            await connection.ReadRequestAsync();
        });
        var site = await CachedSite.StartAsync(origin);
        var waiting = site.GetAsync("/head");
        var reading = site.GetAsync("/body");
        await CachedSite.UntilAsync(() => origin.Requests.Count == 2, "both requests");

        await site.StopAsync(TimeSpan.FromMilliseconds(100));
        await site.DisposeAsync();

        Assert.DoesNotContain("200 OK", await waiting);
        Assert.DoesNotContain("abcd", await reading);
        Assert.Empty(site.Logged);
    }

    /// <summary>A clock that can hold one caller.</summary>
    private sealed class GatedTime : TimeProvider
    {
        private readonly TaskCompletionSource _go = new();
        private TaskCompletionSource? _next;
        private long _ticks = DateTimeOffset.UnixEpoch.AddYears(50).UtcTicks;

        internal void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

        internal Task HoldNextCaller()
        {
            var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _next = held;
            return held.Task;
        }

        internal void LetGo() => _go.SetResult();

        public override DateTimeOffset GetUtcNow()
        {
            if (Interlocked.Exchange(ref _next, null) is { } held)
            {
                held.SetResult();
                _go.Task.Wait(TimeSpan.FromSeconds(20));
            }

            return new DateTimeOffset(Interlocked.Read(ref _ticks), TimeSpan.Zero);
        }
    }
}
