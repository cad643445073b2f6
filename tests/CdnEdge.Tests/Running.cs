using CdnEdge.Configuration;
using CdnEdge.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Tests;

/// <summary>What runs while a test does, on free ports of 127.0.0.1.</summary>
internal static class Running
{
    internal static async Task<WebApplication> OriginAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var origin = builder.Build();
        origin.Run(answer);
        await origin.StartAsync(TestContext.Current.CancellationToken);
        return origin;
    }

    /// <summary>The whole edge, of a configuration without mistakes.</summary>
    internal static async Task<WebApplication> EdgeAsync(ConfigurationSource source)
    {
        var file = source.ReadFile();
        var reviewed = await ConfigurationReview.OfAsync(source, file);
        Assert.Empty(reviewed.Errors);
        var edge = EdgeHost.Build(source, file, reviewed);
        await edge.StartAsync(TestContext.Current.CancellationToken);
        return edge;
    }
}
