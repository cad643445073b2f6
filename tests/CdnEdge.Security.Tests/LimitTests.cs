using System.Diagnostics.Metrics;
using System.Net;
using CdnEdge.Delivery.Admission;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Security.Tests;

/// <summary>Rates, and what is shed.</summary>
public sealed class LimitTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public void A_client_gets_its_burst_and_is_told_when_to_come_again()
    {
        var rates = new ClientRates(new RateOptions { PerSecond = 0.5, Burst = 3 }, 100);

        Assert.All(Enumerable.Range(0, 3), _ => Assert.Null(rates.Take(Client(1))));
        var wait = rates.Take(Client(1));
        Assert.NotNull(wait);
        Assert.InRange(wait.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(2));
        Assert.Null(rates.Take(Client(2))); // another client's is full
    }

    [Fact]
    public async Task A_bucket_fills_again()
    {
        var rates = new ClientRates(new RateOptions { PerSecond = 20, Burst = 1 }, 100);
        Assert.Null(rates.Take(Client(1)));
        Assert.NotNull(rates.Take(Client(1)));

        await Task.Delay(TimeSpan.FromMilliseconds(120), TestContext.Current.CancellationToken);

        Assert.Null(rates.Take(Client(1)));
    }

    [Fact]
    public void So_many_are_remembered_whoever_comes()
    {
        var rates = new ClientRates(new RateOptions { PerSecond = 1, Burst = 1 }, 1600);
        for (uint i = 0; i < 100_000; i++)
            rates.Take(Client(i));

        Assert.InRange(rates.Count, 1500, 1600);
        Assert.NotNull(rates.Take(Client(99_999))); // who came last is remembered
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2:3::1", "2001:db8:1:2:ffff::2", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("0.0.0.0", "::", false)]
    public void An_IPv6_client_is_a_network(string one, string other, bool isSame) =>
        Assert.Equal(isSame, ClientNetwork.Of(IPAddress.Parse(one), 64) == ClientNetwork.Of(IPAddress.Parse(other), 64));

    [Fact]
    public void The_less_important_is_shed_first_and_nothing_is_left_behind()
    {
        using var gate = Gate(new LimitOptions { Fetches = 10 });
        var context = new DefaultHttpContext();
        for (var i = 0; i < 8; i++)
            Assert.Null(gate.TryEnter(context, FetchPriority.Low));

        Assert.Equal(503, gate.TryEnter(context, FetchPriority.Low)?.StatusCode);
        Assert.Null(gate.TryEnter(context, FetchPriority.Normal));
        Assert.Equal("shed", gate.TryEnter(context, FetchPriority.Normal)?.Detail);
        Assert.Null(gate.TryEnter(context, FetchPriority.High));
        Assert.Equal(503, gate.TryEnter(context, FetchPriority.High)?.StatusCode);

        for (var i = 0; i < 10; i++)
            gate.Leave();
        for (var i = 0; i < 8; i++)
            Assert.Null(gate.TryEnter(context, FetchPriority.Low));
    }

    [Fact]
    public void What_the_process_has_no_memory_for_is_not_fetched()
    {
        // As if a process might use no more than a hundred-thousandth of what there is.
        var time = new FakeTimeProvider();
        using var load = new NodeLoad(new LimitOptions { Memory = 0.00001 }, time);
        using var gate = Gate(new LimitOptions(), load);
        Assert.Null(gate.TryEnter(new DefaultHttpContext(), FetchPriority.Low));

        time.Advance(NodeLoad.Interval);

        Assert.True(load.Level > 1, $"{load.Level}");
        Assert.Equal(503, gate.TryEnter(new DefaultHttpContext(), FetchPriority.High)?.StatusCode);
    }

    [Fact]
    public void Once_work_has_waited_for_long_nothing_is_fetched_until_some_has_been_done_soon()
    {
        var time = new FakeTimeProvider();
        var turns = new Queue<Action>();
        using var load = new NodeLoad(new LimitOptions { QueueDelay = TimeSpan.FromSeconds(1) }, time, turns.Enqueue);

        time.Advance(NodeLoad.Interval);
        Assert.True(load.Level < 0.8, $"{load.Level}");
        for (var i = 0; i < 8; i++)
            time.Advance(NodeLoad.Interval);
        Assert.True(load.Level >= 1, $"{load.Level}");
        Assert.Single(turns);

        // What comes next may have as long to wait.
        turns.Dequeue()();
        time.Advance(NodeLoad.Interval);
        Assert.True(load.Level >= 1, $"{load.Level}");

        turns.Dequeue()();
        Assert.True(load.Level < 0.8, $"{load.Level}");
    }

    private static ClientNetwork Client(uint address) => ClientNetwork.Of(new IPAddress(address), 64);

    private FetchGate Gate(LimitOptions limits, NodeLoad? load = null) =>
        new(limits, load ?? new NodeLoad(limits, new FakeTimeProvider()), new Visitors(new AddressList([])), _services.GetRequiredService<IMeterFactory>());
}
