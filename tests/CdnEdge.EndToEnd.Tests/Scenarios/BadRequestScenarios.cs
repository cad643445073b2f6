using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Requests that aren't what they seem: refused, the connection closed, nothing forwarded.</summary>
public sealed class BadRequestScenarios(Edge edge) : IClassFixture<Edge>
{
    private const string Smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";

    private static readonly Dictionary<string, string> BadFraming = new()
    {
        ["length and transfer coding"] = $"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{Smuggled}",
        ["transfer coding and length"] = $"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nContent-Length: {Smuggled.Length + 5}\r\n\r\n0\r\n\r\n{Smuggled}",
        ["two lengths"] = $"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nContent-Length: {Smuggled.Length}\r\n\r\n{Smuggled}",
        ["the same length twice"] = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        ["a list of lengths"] = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1, 1\r\n\r\nx",
        ["a signed length"] = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: +1\r\n\r\nx",
        ["a negative length"] = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: -1\r\n\r\nx",
        ["a hexadecimal length"] = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0x1\r\n\r\nx",
        ["an endless length"] = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 99999999999999999999\r\n\r\nx",
        ["an empty length"] = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: \r\n\r\n",
        ["an unknown transfer coding"] = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        ["chunked and something after it"] = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        ["chunked twice"] = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ["chunked in HTTP/1.0"] = $"POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{Smuggled}",
        ["a folded line"] = "GET / HTTP/1.1\r\nHost: a.example\r\nX-Folded: one\r\n two\r\n\r\n",
        ["a folded transfer coding"] = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        ["a space before the colon"] = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length : 1\r\n\r\nx",
        ["a bare CR in a value"] = "GET / HTTP/1.1\r\nHost: a.example\r\nX-Odd: one\rtwo\r\n\r\n",
        ["a bare LF after a field"] = "GET / HTTP/1.1\r\nHost: a.example\nX-Odd: one\r\n\r\n",
        ["a bare LF after the request line"] = "GET / HTTP/1.1\nHost: a.example\r\n\r\n",
        ["a NUL in a value"] = "GET / HTTP/1.1\r\nHost: a.example\r\nX-Odd: one\0two\r\n\r\n",
        ["a name that is no token"] = "GET / HTTP/1.1\r\nHost: a.example\r\nX Odd: one\r\n\r\n",
        ["no host"] = "GET / HTTP/1.1\r\n\r\n",
        ["two hosts"] = "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
        ["a host with a path"] = "GET / HTTP/1.1\r\nHost: a.example/x\r\n\r\n",
        ["a host with credentials"] = "GET / HTTP/1.1\r\nHost: a@b.example\r\n\r\n",
        ["a host with a space"] = "GET / HTTP/1.1\r\nHost: a example\r\n\r\n",
        ["a host with a bad port"] = "GET / HTTP/1.1\r\nHost: a.example:port\r\n\r\n",
        ["a host with a port beyond all ports"] = "GET / HTTP/1.1\r\nHost: a.example:99999\r\n\r\n",
        ["a host of dots"] = "GET / HTTP/1.1\r\nHost: ..\r\n\r\n",
        ["an absolute target with credentials"] = "GET http://u:p@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["an absolute target of another scheme"] = "GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["a target with a fragment"] = "GET /a#b HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["an escape that is none"] = "GET /a%zz HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["an escape cut short"] = "GET /a% HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["an encoded NUL"] = "GET /a%00b HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["octets beyond ASCII in the target"] = "GET /caf\u00e9 HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["an absolute target of another host"] = "GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["a space in the target"] = "GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["a control character in the target"] = "GET /a\tb HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["a target that is none"] = "GET a.example HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["an unknown version"] = "GET / HTTP/3.7\r\nHost: a.example\r\n\r\n",
        ["no HTTP at all"] = "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n",
        ["oversized headers"] = $"GET / HTTP/1.1\r\nHost: a.example\r\nX-Big: {new string('x', 200_000)}\r\n\r\n",
        ["an oversized target"] = $"GET /{new string('x', 200_000)} HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ["a CONNECT"] = "CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n",
    };

    public static TheoryData<string> Names => [.. BadFraming.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_request_that_cannot_be_trusted_is_refused_and_the_connection_closed(string what)
    {
        var before = edge.Origin.Requests.Count;
        await using var client = await edge.Connect();

        await client.SendAsMuchAsIsTaken(BadFraming[what]);
        var response = await client.ReceiveOrNull();

        // A 501 is as right as a 400 for a method or coding that isn't there, a 505 for a version.
        Assert.True(response is { Status: >= 400 and < 500 or 501 or 505 }, response?.ToString() ?? "closed without an answer");
        Assert.True(await client.IsClosed(), "The connection was left open.");
        Assert.Equal(before, edge.Origin.Requests.Count);
    }
}
