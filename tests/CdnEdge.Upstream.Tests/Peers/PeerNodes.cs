using System.Net;
using System.Security.Cryptography;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Upstream.Tests.Peers;

/// <summary>Two nodes with one key, and what passes between them.</summary>
internal sealed class PeerNodes
{
    internal PeerNodes(int maxHops = 1)
    {
        AskerOptions = new PeeringOptions { Id = "lhr-1", Key = Key };
        AnswererOptions = new PeeringOptions { Id = "fra-1", Key = Key, MaxHops = maxHops };
    }

    internal static string Key { get; } = NewKey();

    internal static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    internal FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddDays(20_000));

    /// <summary>The answerer's own clock.</summary>
    internal FakeTimeProvider AnswererTime { get; } = new(DateTimeOffset.UnixEpoch.AddDays(20_000));

    internal PeeringOptions AskerOptions { get; }

    internal PeeringOptions AnswererOptions { get; }

    internal PeerAuthentication Asker => new(AskerOptions, Time);

    internal PeerAuthentication Answerer => new(AnswererOptions, AnswererTime);

    internal HttpRequestMessage Signed(string url = "http://fra-1.example:8080/a?b=c", string? host = "www.example.org", params string[] cameThrough)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Host = host;
        Asker.Sign(request, cameThrough, TimeSpan.FromSeconds(28));
        return request;
    }

    internal static string FieldOf(HttpRequestMessage request) => Assert.Single(request.Headers.GetValues(PeerField.Name));

    /// <summary>As it arrives.</summary>
    internal static HttpRequest Arrived(HttpRequestMessage request, string? rawTarget = null) => Arrived(
        request.Method.Method, request.Headers.Host ?? request.RequestUri!.Authority, rawTarget ?? request.RequestUri!.PathAndQuery, FieldOf(request));

    internal static HttpRequest Arrived(string method, string host, string rawTarget, string? field)
    {
        var context = new DefaultHttpContext();
        var feature = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        (feature.Method, feature.RawTarget) = (method, rawTarget);
        context.Request.Headers.Host = host;
        if (field is not null)
            context.Request.Headers[PeerField.Name] = field;
        return context.Request;
    }

    internal PeerRequest Accepted(HttpRequestMessage request)
    {
        Assert.Equal(PeerVerdict.Accepted, Answerer.Verify(Arrived(request), out var peer));
        return peer!;
    }

    internal HttpResponseMessage Answered(PeerRequest peer, TimeSpan fetchedAgo, HttpStatusCode status = HttpStatusCode.OK)
    {
        var response = new HttpResponseMessage(status);
        response.Headers.TryAddWithoutValidation(PeerField.Name, Answerer.SignResponse(peer, (int)status, fetchedAgo));
        return response;
    }
}
