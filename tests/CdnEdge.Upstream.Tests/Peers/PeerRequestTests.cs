using System.Text.RegularExpressions;
using CdnEdge.Upstream.Peers;
using CsCheck;

namespace CdnEdge.Upstream.Tests.Peers;

public class PeerRequestTests
{
    [Fact]
    public void A_request_says_by_which_way_it_came_and_how_long_is_left()
    {
        var nodes = new PeerNodes(maxHops: 2);

        var peer = nodes.Accepted(nodes.Signed(cameThrough: "ams-1"));

        Assert.Equal(["ams-1", "lhr-1"], peer.Path);
        Assert.Equal("lhr-1", peer.Asker);
        Assert.Equal(TimeSpan.FromSeconds(28), peer.Remaining);
        nodes.AnswererTime.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.FromSeconds(18), peer.Left(nodes.AnswererTime));
        nodes.AnswererTime.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(TimeSpan.Zero, peer.Left(nodes.AnswererTime));
    }

    [Fact]
    public void What_stood_in_the_field_before_is_replaced()
    {
        var nodes = new PeerNodes();
        var request = nodes.Signed();
        nodes.Time.Advance(TimeSpan.FromSeconds(1));

        nodes.Asker.Sign(request, [], TimeSpan.Zero);

        Assert.Equal(TimeSpan.Zero, nodes.Accepted(request).Remaining);
    }

    [Fact]
    public void No_end_is_an_hour()
    {
        var nodes = new PeerNodes();
        var request = nodes.Signed();
        nodes.Asker.Sign(request, [], Timeout.InfiniteTimeSpan);
        Assert.Equal(TimeSpan.FromHours(1), nodes.Accepted(request).Remaining);
        nodes.Asker.Sign(request, [], TimeSpan.FromSeconds(-5));
        Assert.Equal(TimeSpan.Zero, nodes.Accepted(request).Remaining);
    }

    [Theory]
    [InlineData("http://h/a/b?c=d&e=%20", null, null)]
    [InlineData("http://h:8080/", null, null)]
    [InlineData("http://h", null, "/")]
    [InlineData("https://h:443/x", "h", null)]
    [InlineData("http://[::1]:90/x", "[::1]:90", null)]
    [InlineData("http://h/a%2Fb/%C3%A9?q=%22", null, null)]
    [InlineData("http://H.Example/x", "h.example", null)]
    [InlineData("http://h/x", "H", null)]
    [InlineData("http://h/x?y", null, "http://h/x?y")]
    [InlineData("http://h/?y", null, "http://h?y")]
    [InlineData("http://h/", null, "http://h")]
    [InlineData("http://b\u00fccher.example/x", "xn--bcher-kva.example", null)]
    public void Both_sides_read_the_same_target(string url, string? hostReceived, string? rawTarget)
    {
        var nodes = new PeerNodes();
        var request = nodes.Signed(url, host: null);

        var arrived = PeerNodes.Arrived("GET", hostReceived ?? request.RequestUri!.Authority, rawTarget ?? request.RequestUri!.PathAndQuery, PeerNodes.FieldOf(request));

        Assert.Equal(PeerVerdict.Accepted, nodes.Answerer.Verify(arrived, out _));
    }

    [Fact]
    public void Whoever_has_no_field_is_a_visitor()
    {
        var nodes = new PeerNodes();
        Assert.Equal(PeerVerdict.NotAPeer, nodes.Answerer.Verify(PeerNodes.Arrived("GET", "h", "/", null), out var peer));
        Assert.Null(peer);
    }

    [Fact]
    public void Without_a_key_nobody_is_a_peer()
    {
        var nodes = new PeerNodes();
        var request = nodes.Signed();
        nodes.AnswererOptions.Key = nodes.AskerOptions.Key = null;

        Assert.False(nodes.Answerer.IsEnabled);
        Assert.Equal(PeerVerdict.NotAPeer, nodes.Answerer.Verify(PeerNodes.Arrived(request), out _));
        Assert.Throws<InvalidOperationException>(() => nodes.Asker.Sign(request, [], TimeSpan.Zero));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("path=\"a\", at=1, remaining=1")]
    [InlineData("path=\"a\", at=1, remaining=1, sig=:AAAA:")]
    [InlineData("path=\"a\", at=1, remaining=1, sig=\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"")]
    [InlineData("path=a, at=1, remaining=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("path=\"\", at=1, remaining=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("path=\"a  b\", at=1, remaining=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("path=\"a/b\", at=1, remaining=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("path=\"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\", at=1, remaining=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("path=\"a\", at=-1, remaining=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("path=\"a\", at=1.0, remaining=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("path=\"a\", at=1, remaining=-1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("path=\"a\", at=1, remaining=3600001, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("at=1, remaining=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    public void What_no_node_sends_is_malformed(string field) =>
        Assert.Equal(PeerVerdict.Malformed, new PeerNodes().Answerer.Verify(PeerNodes.Arrived("GET", "h", "/", field), out _));

    [Fact]
    public void Another_key_is_a_bad_signature()
    {
        var nodes = new PeerNodes();
        nodes.AskerOptions.Key = PeerNodes.NewKey();
        Assert.Equal(PeerVerdict.BadSignature, nodes.Answerer.Verify(PeerNodes.Arrived(nodes.Signed()), out _));
    }

    [Fact]
    public void The_key_before_is_still_taken_and_answered_with()
    {
        var nodes = new PeerNodes();
        nodes.AnswererOptions.PreviousKey = PeerNodes.Key;
        nodes.AnswererOptions.Key = PeerNodes.NewKey();
        var request = nodes.Signed();

        var peer = nodes.Accepted(request);

        Assert.True(nodes.Asker.TryVerify(request, nodes.Answered(peer, TimeSpan.Zero), out _, out _));
    }

    [Fact]
    public void A_new_key_that_is_taken_already_may_be_used()
    {
        // The first step of a change: everybody takes the new one before anybody signs with it.
        var nodes = new PeerNodes();
        nodes.AnswererOptions.PreviousKey = nodes.AskerOptions.Key = PeerNodes.NewKey();
        nodes.AskerOptions.PreviousKey = PeerNodes.Key;
        var request = nodes.Signed();

        Assert.True(nodes.Asker.TryVerify(request, nodes.Answered(nodes.Accepted(request), TimeSpan.Zero), out _, out _));
    }

    [Theory]
    [InlineData(-30, PeerVerdict.Accepted)]
    [InlineData(30, PeerVerdict.Accepted)]
    [InlineData(-30.001, PeerVerdict.ClockOff)]
    [InlineData(30.001, PeerVerdict.ClockOff)]
    public void Clocks_may_be_so_far_apart_and_no_further(double seconds, object expected)
    {
        var nodes = new PeerNodes();
        nodes.Time.Advance(TimeSpan.FromMinutes(1));
        nodes.AnswererTime.Advance(TimeSpan.FromSeconds(60 + seconds));
        Assert.Equal((PeerVerdict)expected, nodes.Answerer.Verify(PeerNodes.Arrived(nodes.Signed()), out _));
    }

    [Theory]
    [InlineData("fra-1")]
    [InlineData("FRA-1")]
    public void What_has_been_here_loops(string id)
    {
        var nodes = new PeerNodes(maxHops: 4);
        Assert.Equal(PeerVerdict.LoopsBack, nodes.Answerer.Verify(PeerNodes.Arrived(nodes.Signed(cameThrough: [id, "x"])), out _));
    }

    [Fact]
    public void Two_nodes_of_one_id_are_a_loop()
    {
        var nodes = new PeerNodes();
        nodes.AskerOptions.Id = nodes.AnswererOptions.Id;
        Assert.Equal(PeerVerdict.LoopsBack, nodes.Answerer.Verify(PeerNodes.Arrived(nodes.Signed()), out _));
    }

    [Theory]
    [InlineData(1, 0, PeerVerdict.Accepted)]
    [InlineData(1, 1, PeerVerdict.TooManyHops)]
    [InlineData(4, 3, PeerVerdict.Accepted)]
    [InlineData(4, 4, PeerVerdict.TooManyHops)]
    public void Only_so_many_nodes_ask_each_other(int maxHops, int before, object expected)
    {
        var nodes = new PeerNodes(maxHops);
        var request = nodes.Signed(cameThrough: [.. Enumerable.Range(0, before).Select(i => $"n{i}")]);
        Assert.Equal((PeerVerdict)expected, nodes.Answerer.Verify(PeerNodes.Arrived(request), out _));
    }

    [Theory]
    [InlineData("POST", "www.example.org", "/a?b=c")]
    [InlineData("GET", "www.example.com", "/a?b=c")]
    [InlineData("GET", "www.example.org:81", "/a?b=c")]
    [InlineData("GET", "www.example.org", "/a?b=d")]
    [InlineData("GET", "www.example.org", "/A?b=c")]
    [InlineData("GET", "www.example.org", "/a")]
    [InlineData("GET", "www.example.org", "http://www.example.org/b")]
    public void A_signature_is_for_one_target(string method, string host, string target)
    {
        var nodes = new PeerNodes();
        var field = PeerNodes.FieldOf(nodes.Signed());
        Assert.Equal(PeerVerdict.BadSignature, nodes.Answerer.Verify(PeerNodes.Arrived(method, host, target, field), out _));
    }

    [Fact]
    public void Any_change_of_a_signed_part_breaks_it() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1000], Gen.Char.AlphaNumeric).Sample((member, place, c) =>
        {
            var nodes = new PeerNodes(maxHops: 4);
            var field = PeerNodes.FieldOf(nodes.Signed(cameThrough: "ams-1"));
            var value = Regex.Match(field, new[] { "path=\"([^\"]*)\"", "at=(\\d+)", "remaining=(\\d+)", "sig=:([^:]*)=:" }[member]).Groups[1];
            var changed = member is 1 or 2 ? (char)('0' + (c % 10)) : c;
            var at = value.Index + (place % value.Length);
            var bits = member == 3 && at == value.Index + value.Length - 1; // its last two bits are none of the signature's
            if (field[at] == changed || bits)
                return;

            var arrived = PeerNodes.Arrived("GET", "www.example.org", "/a?b=c", field[..at] + changed + field[(at + 1)..]);

            // A time may come out too long to be one at all.
            Assert.NotEqual(PeerVerdict.Accepted, nodes.Answerer.Verify(arrived, out _));
            if (member is 0 or 3)
                Assert.Equal(PeerVerdict.BadSignature, nodes.Answerer.Verify(arrived, out _));
        });

    [Fact]
    public void No_field_makes_it_throw() =>
        Gen.String[Gen.Char["path=\"a b\", at=1:;()@%?remaining=1sig"], 0, 60].Sample(field =>
            new PeerNodes().Answerer.Verify(PeerNodes.Arrived("GET", "h", "/", field), out _) is PeerVerdict.Malformed or PeerVerdict.BadSignature);
}
