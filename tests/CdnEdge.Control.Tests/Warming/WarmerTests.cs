using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Control.Tests.Warming;

/// <summary>How a node asks itself, against a listener that answers as a node would.</summary>
public sealed class WarmerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication? _traffic;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_traffic is not null)
            await _traffic.DisposeAsync();
    }

    // As Kestrel names what it listens on: of * it's [::], which takes IPv4 too, and ::1 may not be there (as in containers).
    [Theory]
    [InlineData("127.0.0.1", "http://127.0.0.1:{0}")]
    [InlineData("127.0.0.1", "http://[::]:{0}")]
    [InlineData("127.0.0.1", "http://0.0.0.0:{0}")]
    [InlineData("127.0.0.1", "http://localhost:{0}")]
    [InlineData("::1", "http://localhost:{0}")]
    [InlineData("::1", "http://[::1]:{0}")]
    public async Task The_node_is_found_however_it_listens(string listens, string told)
    {
        var port = await Listen(IPAddress.Parse(listens), static context =>
        {
            context.Response.Headers["Cache-Status"] = "cdnedge; fwd=uri-miss; stored";
            return context.Response.WriteAsync($"{context.Request.Host}");
        });

        var end = await Warm(string.Format(System.Globalization.CultureInfo.InvariantCulture, told, port));

        Assert.Equal((1, 0), ((int)end["stored"]!, (int)end["failed"]!));
    }

    [Fact]
    public async Task A_body_without_end_is_given_up()
    {
        var port = await Listen(IPAddress.Loopback, async context =>
        {
            await context.Response.WriteAsync("piece", Stop);
            await context.Response.Body.FlushAsync(Stop);
            _asked.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });

        var warming = Warm($"http://127.0.0.1:{port}");
        await Deadline.Within(_asked.Task, "the request");
        _time.Advance(Warmer.Patience + TimeSpan.FromSeconds(1));
        var end = await Deadline.Within(warming, "the end of the warming");

        Assert.Equal("no answer in time", (string)Assert.Single((JsonArray)end["failures"]!)!["detail"]!);
    }

    private async Task<int> Listen(IPAddress address, RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(address, 0));
        _traffic = builder.Build();
        _traffic.Run(answer);
        await _traffic.StartAsync(Stop);
        return new Uri(_traffic.Urls.Single()).Port;
    }

    private async Task<JsonNode> Warm(string traffic)
    {
        var warmer = new Warmer(() => [traffic], new Anywhere(), _time);
        var order = new WarmOrder([new Uri("https://example.org/a")], null, [new Dictionary<string, string?>()], 1);
        (string Type, string Data) last = ("", "null");
        await foreach (var item in warmer.RunAsync(order, Stop))
            last = (item.EventType, item.Data);
        Assert.Equal("end", last.Type);
        return JsonNode.Parse(last.Data)!;
    }

    private sealed class Anywhere : IServedSites
    {
        public IEnumerable<NamedPolicy> Policies => [];

        public bool Serves(HostString host) => true;
    }
}
