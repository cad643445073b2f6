using System.Net;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Security.Tests;

/// <summary>What answers say of HTTP/3, on a node that speaks it.</summary>
public sealed class AnswerFieldsTests
{
    private bool _isDraining;

    [Theory]
    [InlineData("www.example.org", "h3=\":443\"; ma=86400")]
    [InlineData("www.example.org:8443", "h3=\":8443\"; ma=86400")]
    public async Task Clients_learn_of_HTTP3_by_the_port_that_they_came_to(string host, string expected) =>
        Assert.Equal(expected, await AltSvcOf(host, "https", new SiteOptions()));

    [Fact]
    public async Task While_draining_they_are_told_to_forget_it()
    {
        _isDraining = true;

        Assert.Equal("clear", await AltSvcOf("www.example.org", "https", new SiteOptions()));
    }

    [Fact]
    public async Task Not_over_http_nor_where_a_site_does_not_want_it()
    {
        Assert.Equal("", await AltSvcOf("www.example.org", "http", new SiteOptions()));
        Assert.Equal("", await AltSvcOf("www.example.org", "https", new SiteOptions { Http3 = false }));
    }

    [Fact]
    public async Task Nor_on_a_node_without_it() => Assert.Equal("", await AltSvcOf("www.example.org", "https", new SiteOptions(), hasHttp3: false));

    private async Task<string> AltSvcOf(string host, string scheme, SiteOptions options, bool hasHttp3 = true)
    {
        var fields = new AnswerFields(new Visitors(new AddressList([])), hasHttp3, () => _isDraining);
        var starting = new Starting();
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
        context.Features.Set<IHttpResponseFeature>(starting);
        (context.Request.Host, context.Request.Scheme) = (new HostString(host), scheme);

        fields.AddTo(context, new Site([options], new LimitOptions()));
        await starting.StartAsync();

        return context.Response.Headers.AltSvc.ToString();
    }

    /// <summary>A response whose head can be sent.</summary>
    private sealed class Starting : HttpResponseFeature
    {
        private readonly List<(Func<object, Task> Callback, object State)> _callbacks = [];

        public override void OnStarting(Func<object, Task> callback, object state) => _callbacks.Add((callback, state));

        internal async Task StartAsync()
        {
            foreach (var (callback, state) in _callbacks)
                await callback(state);
        }
    }
}
