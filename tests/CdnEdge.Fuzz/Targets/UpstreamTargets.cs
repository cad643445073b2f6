using System.Net;
using CdnEdge.Fuzz.Engine;
using CdnEdge.Upstream;
using CdnEdge.Upstream.Forwarded;
using CdnEdge.Upstream.HopByHop;
using CdnEdge.Upstream.Interim;
using CdnEdge.Upstream.Loops;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Fuzz.Targets;

/// <summary>What passes between this node and others.</summary>
internal static class UpstreamTargets
{
    private static readonly string[] Addresses = ["10.1.2.3", "::1", "[::1]:80", "fe80::1%1", "/8", "/", "::ffff:10.0.0.1", "/128", ", ", "unknown", "\"", " "];

    private static readonly string[] Peer = ["path=\"a\"", "from=\"b\"", "at=", "remaining=", "fetched=", "sig=:", ":", ", ", " ", "\""];

    private static readonly PeerAuthentication Asker = Node("asker");
    private static readonly PeerAuthentication Answerer = Node("answerer");

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("cdn-loop", Loop) { Words = ["cdnedge", ", ", "\"", "\\\"", "; a=\"", "CDNEDGE", ";", "\"\\\","] },
        new("hop-counters", Counters) { Words = ["HTTP/", "1.1", "2", "0", "9223372036854775807"] },
        new("forwarded-for", Forwarded) { Words = Addresses, BytesPerByte = 200 },
        new("address-list", Address) { Words = Addresses },
        new("interim-head", Heads) { Words = ["HTTP/1.1 103 Early Hints\r\n", "HTTP/1.1 100 \r\n", "HTTP/1.1 200 OK\r\n", "Link: </a>\r\n", "\r\n", "\n", "HTTP/1.1 101", ":", "\r\n\r\n"], BytesPerByte = 250, FreeBytes = 256 * 1024 },
        new("peer-request", Request) { Words = Peer, Seeds = static () => [SignedRequest()], BytesPerByte = 200 },
        new("peer-response", Response) { Words = Peer, BytesPerByte = 200 },
        new("connection-options", Options) { Words = ["close", "keep-alive", "upgrade", ", ", "Host", "TE", "x-a", "Content-Length", "CDN-Loop"] },
    ];

    private static int Loop(byte[] input)
    {
        var lines = Given.Lines(input);
        var before = CdnLoop.Count(new HeaderDictionary { [CdnLoop.Field] = lines }, "cdnedge");

        // Whatever a client began the field with, a node finds its own name in what it sent on.
        var after = CdnLoop.Count(new HeaderDictionary { [CdnLoop.Field] = FieldList.Append(lines, "cdnedge") }, "cdnedge");
        Claim.Holds(after > 0);
        return Math.Min(before, 20);
    }

    private static int Counters(byte[] input)
    {
        var text = Given.Text(input);
        Claim.Holds(Via.ReceivedProtocol(text).Length > 0);
        var forwards = MaxForwards.Of(new HeaderDictionary { [MaxForwards.Field] = Given.Lines(input) });
        Claim.Holds(forwards is null or >= 0);
        return forwards is null ? 0 : forwards == 0 ? 1 : 2;
    }

    private static int Forwarded(byte[] input)
    {
        var lines = Given.Lines(input);
        var chain = ForwardedElement.FromXForwardedFor(lines);
        Claim.Holds(chain is null || chain.Split(", ").All(static element => element.StartsWith("for=", StringComparison.Ordinal)));
        var element = ForwardedElement.Create(IPAddress.Loopback, Given.Text(input), "https");
        Claim.Holds(element.EndsWith(";proto=https", StringComparison.Ordinal));
        return chain is null ? 0 : 1 + Math.Min(chain.Split(", ").Length, 20) + (chain.Contains("unknown", StringComparison.Ordinal) ? 100 : 0);
    }

    private static int Address(byte[] input)
    {
        var text = Given.Text(input);
        var isEntry = AddressList.TryParse(text, out var network);
        var mistake = AddressList.MistakeIn(text);
        Claim.Holds(isEntry || mistake is not null);
        if (!isEntry)
            return 0;
        Claim.Holds(new AddressList([text]).Contains(network.BaseAddress));
        Claim.Holds(AddressList.MistakeIn(network.ToString()) is null);
        return mistake is null ? 1 : 2;
    }

    /// <summary>The same heads, however the bytes are cut into reads.</summary>
    private static int Heads(byte[] input)
    {
        var whole = Read(input, input.Length, out var goesOn);
        foreach (var cut in new[] { 1, 3 + (input.Length % 17), 1024 })
        {
            var parts = Read(input, cut, out var partsGoOn);
            Claim.Holds(partsGoOn == goesOn && parts.Count == whole.Count);
            for (var i = 0; i < parts.Count; i++)
                Claim.Holds(parts[i].Status == whole[i].Status && parts[i].Fields.SequenceEqual(whole[i].Fields));
        }

        Claim.Holds(whole.All(static head => head.Status is >= 100 and < 200 and not 101));
        return Math.Min(whole.Count, 20) + (goesOn ? 32 : 0) + (Math.Min(whole.Sum(static head => head.Fields.Count), 20) << 8);
    }

    private static List<InterimHead> Read(byte[] input, int cut, out bool goesOn)
    {
        var parser = new InterimHeadParser();
        List<InterimHead>? found = null;
        goesOn = true;
        for (var at = 0; at < input.Length && goesOn; at += cut)
            goesOn = parser.Advance(input.AsSpan(at, Math.Min(cut, input.Length - at)), ref found);
        return found ?? [];
    }

    /// <summary>Nobody without the key is a node.</summary>
    private static int Request(byte[] input)
    {
        var verdict = Answerer.Verify(AskedBy(Given.Lines(input)), out var peer);
        if (verdict != PeerVerdict.Accepted)
            return (int)verdict;

        // Spelt otherwise, at most: what is signed is what was signed.
        Claim.Holds(peer!.Path.SequenceEqual(["first", "asker"]) && peer.Remaining == TimeSpan.FromSeconds(28));
        return 100;
    }

    private static int Response(byte[] input)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://answerer/a");
        Asker.Sign(request, [], TimeSpan.FromSeconds(1));
        using var response = new HttpResponseMessage(HttpStatusCode.OK);
        response.Headers.TryAddWithoutValidation(PeerField.Name, Given.Lines(input).ToArray());
        Claim.Holds(!Asker.TryVerify(request, response, out _, out var fault));
        return (int)fault;
    }

    private static int Options(byte[] input)
    {
        IHeaderDictionary headers = new HeaderDictionary { ["Host"] = "a", ["Content-Length"] = "1", ["CDN-Loop"] = "b", ["Via"] = "c", ["TE"] = "trailers", ["Connection"] = Given.Lines(input) };
        ConnectionOptions.RemoveNominated(headers);
        Claim.Holds(headers.ContainsKey("Host") && headers.ContainsKey("Content-Length") && headers.ContainsKey("CDN-Loop") && headers.ContainsKey("Via") && headers.ContainsKey("TE"));
        return Math.Min(ConnectionOptions.Nominated(headers.Connection).Count, 20);
    }

    private static PeerAuthentication Node(string id) => new(
        new PeeringOptions { Id = id, Key = Convert.ToBase64String(new byte[PeerAuthentication.KeyBytes]), MaxHops = 4 }, Given.Clock);

    private static byte[] SignedRequest()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://answerer/a?b");
        Asker.Sign(request, ["first"], TimeSpan.FromSeconds(28));
        return System.Text.Encoding.Latin1.GetBytes(request.Headers.NonValidated[PeerField.Name].ToString());
    }

    private static HttpRequest AskedBy(Microsoft.Extensions.Primitives.StringValues field)
    {
        var request = Given.Request("GET /a?b\nHost: answerer"u8.ToArray()).Request;
        request.Headers[PeerField.Name] = field;
        return request;
    }
}
