using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using CdnEdge.Upstream.Peers;
using CsCheck;

namespace CdnEdge.Upstream.Tests.Peers;

public class PeerResponseTests
{
    private readonly PeerNodes _nodes = new();
    private readonly HttpRequestMessage _request;

    public PeerResponseTests() => _request = _nodes.Signed();

    private HttpResponseMessage Answered(double fetchedMilliseconds = 1234) =>
        _nodes.Answered(_nodes.Accepted(_request), TimeSpan.FromMilliseconds(fetchedMilliseconds));

    private PeerFault FaultOf(HttpResponseMessage response)
    {
        Assert.Equal(!_nodes.Asker.TryVerify(_request, response, out _, out var fault), fault != PeerFault.None);
        return fault;
    }

    [Fact]
    public void Nor_is_anything_fetched_in_the_future()
    {
        // Only who has the key can sign that: a node with a bug.
        var (peer, at) = (_nodes.Accepted(_request), _nodes.Time.GetUtcNow().ToUnixTimeMilliseconds());
        var signature = HMACSHA256.HashData(Convert.FromBase64String(PeerNodes.Key), PeerField.Text(peer.Signature.Span, 200, "fra-1", at, -1));
        var response = new HttpResponseMessage(HttpStatusCode.OK);
        response.Headers.TryAddWithoutValidation(PeerField.Name, PeerField.Response("fra-1", at, -1, signature));
        Assert.Equal(PeerFault.BadFetchTime, FaultOf(response));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1234, 1234)]
    [InlineData(1233.2, 1234)]
    [InlineData(-5, 0)]
    public void It_says_how_long_ago_the_origin_was_asked_never_less(double fetched, double expected)
    {
        var response = Answered(fetched);

        Assert.True(_nodes.Asker.TryVerify(_request, response, out var ago, out var fault));

        Assert.Equal(PeerFault.None, fault);
        Assert.Equal(TimeSpan.FromMilliseconds(expected), ago);
        Assert.False(response.Headers.Contains(PeerField.Name));
    }

    [Fact]
    public void Without_the_field_no_node_answered() => Assert.Equal(PeerFault.Unsigned, FaultOf(new HttpResponseMessage(HttpStatusCode.OK)));

    [Theory]
    [InlineData("")]
    [InlineData("nonsense=")]
    [InlineData("from=\"fra-1\", at=1, fetched=1")]
    [InlineData("from=\"fra 1\", at=1, fetched=1, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    [InlineData("from=\"fra-1\", at=1, fetched=1.5, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")]
    public void What_no_node_says_is_malformed(string field)
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK);
        response.Headers.TryAddWithoutValidation(PeerField.Name, field);
        Assert.Equal(PeerFault.Malformed, FaultOf(response));
    }

    [Fact]
    public void Another_key_is_a_bad_signature()
    {
        var response = Answered();
        _nodes.AskerOptions.Key = PeerNodes.NewKey();
        Assert.Equal(PeerFault.BadSignature, FaultOf(response));
    }

    [Fact]
    public void An_answer_is_to_one_request()
    {
        var response = Answered();
        _nodes.Time.Advance(TimeSpan.FromMilliseconds(1));
        _nodes.Asker.Sign(_request, [], TimeSpan.FromSeconds(1));
        Assert.Equal(PeerFault.BadSignature, FaultOf(response));
    }

    [Fact]
    public void An_answer_has_one_status()
    {
        var response = Answered();
        response.StatusCode = HttpStatusCode.NotFound;
        Assert.Equal(PeerFault.BadSignature, FaultOf(response));
    }

    [Fact]
    public void Any_change_of_a_signed_part_breaks_it() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1000], Gen.Char.AlphaNumeric).Sample((member, place, c) =>
        {
            var response = Answered();
            var field = Assert.Single(response.Headers.GetValues(PeerField.Name));
            var value = Regex.Match(field, new[] { "from=\"([^\"]*)\"", "at=(\\d+)", "fetched=(\\d+)", "sig=:([^:]*)=:" }[member]).Groups[1];
            var changed = member is 1 or 2 ? (char)('0' + (c % 10)) : c;
            var at = value.Index + (place % value.Length);
            if (field[at] == changed || (member == 3 && at == value.Index + value.Length - 1))
                return;

            response.Headers.Remove(PeerField.Name);
            response.Headers.TryAddWithoutValidation(PeerField.Name, field[..at] + changed + field[(at + 1)..]);

            Assert.Equal(PeerFault.BadSignature, FaultOf(response));
        });

    [Theory]
    [InlineData(30_000, PeerFault.None)]
    [InlineData(30_001, PeerFault.ClockOff)]
    public void Clocks_may_be_so_far_apart_and_no_further(int milliseconds, object expected)
    {
        var response = Answered();
        _nodes.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal((PeerFault)expected, FaultOf(response));
    }

    [Fact]
    public void It_never_answers_itself()
    {
        var response = Answered();
        _nodes.AskerOptions.Id = "FRA-1";
        Assert.Equal(PeerFault.OwnId, FaultOf(response));
    }

    [Theory]
    [InlineData(366, PeerFault.None)]
    [InlineData(366.001, PeerFault.BadFetchTime)]
    [InlineData(10_000_000, PeerFault.BadFetchTime)]
    public void Nothing_was_fetched_years_ago(double days, object expected) =>
        Assert.Equal((PeerFault)expected, FaultOf(Answered(TimeSpan.FromDays(days).TotalMilliseconds)));

    [Theory]
    [InlineData("0", PeerFault.None)]
    [InlineData("31622400", PeerFault.None)]
    [InlineData("31622401", PeerFault.BadAge)]
    [InlineData("31536000000000", PeerFault.BadAge)]
    [InlineData("-1", PeerFault.BadAge)]
    [InlineData("1.5", PeerFault.BadAge)]
    [InlineData("1, 2", PeerFault.BadAge)]
    [InlineData("", PeerFault.BadAge)]
    [InlineData("old", PeerFault.BadAge)]
    public void An_Age_is_a_number_that_can_be_true(string age, object expected)
    {
        var response = Answered();
        response.Headers.TryAddWithoutValidation("Age", age);
        Assert.Equal((PeerFault)expected, FaultOf(response));
    }

    [Fact]
    public void Of_two_Ages_none_is_believed()
    {
        var response = Answered();
        response.Headers.TryAddWithoutValidation("Age", ["1", "1"]);
        Assert.Equal(PeerFault.BadAge, FaultOf(response));
    }
}
