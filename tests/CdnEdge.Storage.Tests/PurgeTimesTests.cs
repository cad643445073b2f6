using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Storage.Tests;

public class PurgeTimesTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddDays(20_000));
    private readonly PurgeEpochs _epochs = new();

    public PurgeTimesTests() => _epochs.Times = new PurgeTimes(_time);

    [Fact]
    public void Before_the_first_purge_it_was_the_first_moment() => Assert.Equal(0, _epochs.Times!.At(_time.GetUtcNow()));

    [Fact]
    public void Each_time_has_the_moment_of_the_last_purge_before_it()
    {
        var first = _epochs.Advance();
        var atFirst = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromSeconds(1));
        _epochs.AdvanceTo(first + 100);
        _epochs.AdvanceTo(first + 50);

        Assert.Equal(0, _epochs.Times!.At(atFirst - TimeSpan.FromTicks(1)));
        Assert.Equal(first, _epochs.Times.At(atFirst));
        Assert.Equal(first, _epochs.Times.At(_time.GetUtcNow() - TimeSpan.FromTicks(1)));
        Assert.Equal(first + 100, _epochs.Times.At(_time.GetUtcNow()));
    }

    [Fact]
    public void Of_purges_that_come_fast_an_earlier_moment_is_said_and_never_a_later()
    {
        var moments = new List<(DateTimeOffset At, long Moment)>();
        for (var i = 0; i < 20_000; i++)
        {
            moments.Add((_time.GetUtcNow(), _epochs.Advance()));
            _time.Advance(TimeSpan.FromMilliseconds(37));
        }

        Assert.All(moments, one => Assert.InRange(_epochs.Times!.At(one.At), 0, one.Moment));
        Assert.Equal(moments[^1].Moment, _epochs.Times!.At(_time.GetUtcNow()));
        var late = moments[^100];
        Assert.InRange(_epochs.Times.At(late.At), late.Moment - 4, late.Moment);
        Assert.Equal(0, _epochs.Times.At(moments[0].At));
    }
}
