using CdnEdge.Caching;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Delivery.Tests;

/// <summary>What becomes of a response, whichever way it was fetched.</summary>
public sealed class ResponseJudgementTests
{
    private const long MaxObjectBytes = 1000;

    private static readonly CachePolicy Policy = new() { MaxObjectBytes = MaxObjectBytes };

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("max-age=60", 1000L, NoStoreReason.None, true, NoStoreReason.None)]
    [InlineData("max-age=60", null, NoStoreReason.None, true, NoStoreReason.None)]
    [InlineData("max-age=60", 1000L, NoStoreReason.None, false, NoStoreReason.Policy)]
    [InlineData("max-age=60", 1000L, NoStoreReason.Stream, true, NoStoreReason.Stream)]
    [InlineData("max-age=60", 1000L, NoStoreReason.Stream, false, NoStoreReason.Stream)]
    [InlineData("max-age=60", 1001L, NoStoreReason.Stream, false, NoStoreReason.TooLarge)]
    [InlineData("private", 1001L, NoStoreReason.Stream, false, NoStoreReason.Private)]
    public async Task The_first_objection_counts_HTTPs_then_the_size_then_the_callers_then_the_rules(
        string cacheControl, long? length, NoStoreReason objection, bool rule, NoStoreReason expected)
    {
        await using var app = NewApp(new Rule(rule));

        var (head, reason) = Judge(app, "GET", new HeaderDictionary { ["Cache-Control"] = cacheControl, ContentLength = length }, objection);

        Assert.Equal(expected, reason);
        Assert.Equal(expected == NoStoreReason.None, head is not null);
    }

    [Fact]
    public async Task What_is_stored_carries_its_freshness()
    {
        await using var app = NewApp();

        var (head, _) = Judge(app, "GET", new HeaderDictionary { ["Cache-Control"] = "max-age=60", ["Age"] = "20" });

        Assert.Equal(TimeSpan.FromSeconds(60), head!.Freshness.Lifetime);
        Assert.Equal(TimeSpan.FromSeconds(21), head.Freshness.InitialAge); // with the second that the request took
        Assert.Equal(Now, head.Freshness.ResponseTime);
    }

    [Theory]
    [InlineData("/page?q=1", NoStoreReason.None)]
    [InlineData("/other", NoStoreReason.Method)]
    public async Task A_POSTs_answer_is_stored_where_it_is_about_the_target(string contentLocation, NoStoreReason expected)
    {
        await using var app = NewApp();
        var headers = new HeaderDictionary { ["Cache-Control"] = "max-age=60", ["Content-Location"] = contentLocation };

        Assert.Equal(expected, Judge(app, "POST", headers).Reason);
    }

    [Fact]
    public async Task Rules_are_asked_about_what_could_be_stored_only()
    {
        var rule = new Rule(true);
        await using var app = NewApp(rule);

        Judge(app, "GET", new HeaderDictionary { ["Cache-Control"] = "no-store" });
        Assert.Empty(rule.Asked);

        Judge(app, "GET", new HeaderDictionary { ["Cache-Control"] = "max-age=60" });
        var candidate = Assert.Single(rule.Asked);
        Assert.Equal(("GET", "a/page?q=1", 200), (candidate.Method, candidate.Url, candidate.Status));
    }

    private static ResponseJudgement Judge(
        WebApplication app, string method, HeaderDictionary headers, NoStoreReason objection = NoStoreReason.None)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = method;
        request.Scheme = "http";
        request.Host = new HostString("a");
        request.Path = "/page";
        request.QueryString = new QueryString("?q=1");
        var key = CacheKey.Of(Policy, new Uri("http://a/page?q=1"));
        var services = app.Services.GetRequiredService<CacheServices>();
        return ResponseJudgement.Of(services, key, request, 200, headers, Policy, Now.AddSeconds(-1), Now, objection);
    }

    private static WebApplication NewApp(params ICacheStorabilityRule[] rules)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddReverseProxy().LoadFromMemory([], []).AddCdnCache(static options => options.Memory.MaxBytes = 16 << 20);
        foreach (var rule in rules)
        {
            builder.Services.AddSingleton(rule);
        }

        return builder.Build();
    }

    private sealed class Rule(bool answer) : ICacheStorabilityRule
    {
        internal List<CacheCandidate> Asked { get; } = [];

        public bool MayStore(in CacheCandidate candidate)
        {
            Asked.Add(candidate);
            return answer;
        }
    }
}
