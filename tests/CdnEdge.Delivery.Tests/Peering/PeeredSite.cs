using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Upstream;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Delivery.Tests.Peering;

/// <summary>A node that others may ask, and another one that the test plays.</summary>
internal sealed class PeeredSite : IAsyncDisposable
{
    private static readonly string Key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private PeeredSite(CachedSite site, FakeTimeProvider time) => (Site, Time) = (site, time);

    internal CachedSite Site { get; }

    internal FakeTimeProvider Time { get; }

    /// <summary>The asker's; its id is <c>lhr-1</c> unless a test says otherwise.</summary>
    internal PeeringOptions Asking { get; } = new() { Id = "lhr-1", Key = Key };

    internal PeerAuthentication Asker => new(Asking, Time);

    internal static async Task<PeeredSite> StartAsync(RawOrigin origin, CachePolicy? policy = null, int maxHops = 1)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var peering = new PeeringOptions { Id = "fra-1", Key = Key, MaxHops = maxHops };
        return new PeeredSite(await CachedSite.StartAsync(origin, policy, time, peering: peering), time);
    }

    /// <summary>The request as <see cref="Asker"/> signs it.</summary>
    internal HttpRequestMessage Signed(string path, HttpMethod? method = null, params string[] cameThrough)
    {
        var request = new HttpRequestMessage(method ?? HttpMethod.Get, "http://a" + path);
        Asker.Sign(request, cameThrough, TimeSpan.FromSeconds(28));
        return request;
    }

    /// <summary>Asks as a node does; everything that comes back.</summary>
    internal Task<string> SendAsync(HttpRequestMessage request, string fields = "") => Site.AskAsync(
        request.Method.Method, request.RequestUri!.PathAndQuery, $"CdnEdge-Peer: {Assert.Single(request.Headers.GetValues("CdnEdge-Peer"))}\r\n{fields}");

    /// <summary>Asks and verifies the answer: what came, and how long ago it says that the origin was asked.</summary>
    internal async Task<(string Answer, TimeSpan FetchedAgo)> AskAsync(string path, string fields = "", HttpMethod? method = null)
    {
        var request = Signed(path, method);
        var answer = await SendAsync(request, fields);
        return (answer, FetchedAgo(request, answer));
    }

    internal TimeSpan FetchedAgo(HttpRequestMessage request, string answer)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)int.Parse(answer.AsSpan(9, 3), CultureInfo.InvariantCulture));
        response.Headers.TryAddWithoutValidation("CdnEdge-Peer", Fields(answer, "CdnEdge-Peer"));
        if (Fields(answer, "Age") is { Length: > 0 } age)
            response.Headers.TryAddWithoutValidation("Age", age);
        Assert.True(Asker.TryVerify(request, response, out var fetchedAgo, out var fault), $"{fault}: {answer}");
        return fetchedAgo;
    }

    internal static string[] Fields(string message, string name) =>
    [
        .. message.Split("\r\n\r\n")[0].Split("\r\n").Skip(1)
            .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 1)..].Trim()),
    ];

    public ValueTask DisposeAsync() => Site.DisposeAsync();
}
