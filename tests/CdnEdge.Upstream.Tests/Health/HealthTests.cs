using CdnEdge.Upstream.Health;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Upstream.Tests.Health;

/// <summary>The parts that health is made of, by the clock of the test.</summary>
public class HealthTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddDays(20_000));

    [Fact]
    public void A_budget_is_a_share_of_what_was_asked_lately_and_at_least_a_few()
    {
        var budget = new RetryBudget(_time);
        Assert.Equal(3, Take(budget, 100, share: 0.2, minimum: 3));

        for (var i = 0; i < 100; i++)
            budget.OnRequest();
        Assert.Equal(17, Take(budget, 100, share: 0.2, minimum: 3));

        _time.Advance(RetryBudget.Window + TimeSpan.FromSeconds(1));
        Assert.Equal(3, Take(budget, 100, share: 0.2, minimum: 3));
    }

    [Fact]
    public void However_it_is_asked_a_budget_is_never_overdrawn() =>
        Gen.Select(Gen.Double[0, 1], Gen.Int[0, 20], Gen.Int[0, 3].Array[0, 400]).Sample((share, minimum, steps) =>
        {
            var time = new FakeTimeProvider();
            var budget = new RetryBudget(time);
            var requests = new List<DateTimeOffset>();
            var retries = new List<DateTimeOffset>();
            foreach (var step in steps)
            {
                switch (step)
                {
                    case 0:
                        time.Advance(TimeSpan.FromMilliseconds(700));
                        break;
                    case 1:
                        budget.OnRequest();
                        requests.Add(time.GetUtcNow());
                        break;
                    default:
                        if (!budget.TryTake(share, minimum))
                            break;
                        retries.Add(time.GetUtcNow());

                        // Whole seconds: what it counts is at most ten and at least nine. (Later, requests leave that time which
                        // earned a retry that is still in it.)
                        if (Within(retries, 9) > Math.Max(minimum, share * Within(requests, 11)))
                            return false;
                        break;
                }
            }

            int Within(List<DateTimeOffset> moments, int seconds) => moments.Count(at => at > time.GetUtcNow() - TimeSpan.FromSeconds(seconds));

            return true;
        });

    [Fact]
    public void Percentiles_are_those_of_the_latest_samples()
    {
        var window = new LatencyWindow();
        for (var i = 0; i < LatencyWindow.Least - 1; i++)
            window.Add(TimeSpan.FromMilliseconds(1));
        Assert.Null(window.Percentile(50));

        for (var i = 0; i < LatencyWindow.Capacity; i++)
            window.Add(TimeSpan.FromMilliseconds(i));

        Assert.InRange(window.Percentile(50)!.Value.TotalMilliseconds, 100, 140);
        Assert.InRange(window.Percentile(95)!.Value.TotalMilliseconds, 220, 256);
        window.Clear();
        Assert.Null(window.Percentile(50));
    }

    [Fact]
    public void One_shield_that_is_lost_moves_only_its_own_share()
    {
        string[] all = ["a", "b", "c", "d", "e"];
        string[] left = ["a", "b", "d", "e"];
        var moved = 0;
        var shares = new Dictionary<string, int>();
        for (var content = 0UL; content < 10_000; content++)
        {
            var before = all.MaxBy(id => Rendezvous.WeightOf(id, content * 7919))!;
            var after = left.MaxBy(id => Rendezvous.WeightOf(id, content * 7919))!;
            shares[before] = shares.GetValueOrDefault(before) + 1;
            if (before != after)
            {
                Assert.Equal("c", before);
                moved++;
            }
        }

        Assert.Equal(shares["c"], moved);
        Assert.All(shares.Values, static share => Assert.InRange(share, 1800, 2200));
    }

    [Fact]
    public void A_weight_is_the_same_on_every_node() => Assert.Equal(1_427_675_200_690_571_701UL, Rendezvous.WeightOf("fra-1", 42));

    [Fact]
    public void A_way_is_down_when_nothing_is_answered_for_a_while_and_lets_one_a_second_try()
    {
        var way = Way();
        for (var i = 0; i < 100; i++)
        {
            way.OnExhausted();
            _time.Advance(TimeSpan.FromMilliseconds(100));
            if (i % 4 == 0)
                way.OnAnswered();
        }

        way.OnAnswered();
        for (var i = 0; i < 100; i++)
            way.OnExhausted();
        Assert.Null(way.DownSince);
        Assert.True(way.MayRevalidate());

        _time.Advance(WayHealth.LeastTime);
        way.OnExhausted();

        Assert.Equal(_time.GetUtcNow(), way.DownSince);
        Assert.True(way.IsImpaired);
        var tried = 0;
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            tried += way.MayRevalidate() ? 1 : 0;
        }

        Assert.Equal(10, tried);
    }

    [Fact]
    public void A_way_is_down_where_everybody_is_left_out_until_an_answer_disproves_that()
    {
        var way = Way();
        way.OnHealth(isShut: true);
        Assert.NotNull(way.DownSince);
        way.OnAnswered();
        Assert.Null(way.DownSince);

        way.OnHealth(isShut: true);
        Assert.Null(way.DownSince);

        way.OnHealth(isShut: false);
        way.OnHealth(isShut: true);
        Assert.NotNull(way.DownSince);
    }

    [Fact]
    public void What_comes_back_comes_back_as_a_growing_share()
    {
        var way = Way();
        for (var i = 1; i < WayHealth.LeastFailures; i++)
            way.OnExhausted();
        _time.Advance(WayHealth.LeastTime);
        way.OnExhausted();
        Assert.NotNull(way.DownSince);
        way.OnAnswered();
        Assert.Null(way.DownSince);

        Assert.InRange(Share(way), 0.02, 0.09);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.InRange(Share(way), 0.4, 0.6);
        Assert.True(way.IsImpaired);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.False(way.IsImpaired);
        Assert.Equal(1, Share(way));
    }

    private static double Share(WayHealth way) => Enumerable.Range(0, 2000).Count(_ => way.MayRevalidate()) / 2000.0;

    private static int Take(RetryBudget budget, int tries, double share, int minimum) => Enumerable.Range(0, tries).Count(_ => budget.TryTake(share, minimum));

    private WayHealth Way() => new("c", TimeSpan.FromSeconds(10), new HealthReport(new UpstreamMetrics(new Meters()), NullLogger<HealthReport>.Instance), _time);

    private sealed class Meters : System.Diagnostics.Metrics.IMeterFactory
    {
        public System.Diagnostics.Metrics.Meter Create(System.Diagnostics.Metrics.MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
