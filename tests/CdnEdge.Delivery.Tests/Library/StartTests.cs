using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery.Tests.Library;

/// <summary>What an application's operator sees: mistakes at its start, figures while it runs.</summary>
public class StartTests
{
    [Fact]
    public async Task Mistakes_in_code_stop_the_start_and_are_all_named()
    {
        var builder = Server.Builder();
        builder.Services.AddReverseProxy().LoadFromMemory([], []).AddCdnCache(options =>
        {
            options.Name = "two words";
            options.Memory.MaxBytes = 0;
            options.Policies["slow"] = new CachePolicy { HeuristicFraction = 2 };
        });
        await using var app = builder.Build();

        var mistake = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("CdnEdge:Name:", mistake.Message, StringComparison.Ordinal);
        Assert.Contains("CdnEdge:Memory:MaxBytes:", mistake.Message, StringComparison.Ordinal);
        Assert.Contains("CdnEdge:Policies:slow:HeuristicFraction:", mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mistakes_in_configuration_stop_the_start_and_are_all_named()
    {
        var configuration = Server.Configuration("""
            { "CdnEdge": { "Memory": { "MaxBytes": "much" }, "Policies": { "slow": { "MinTtl": "soon", "SetCookie": "Eat" } } } }
            """);
        var builder = Server.Builder();
        builder.Services.AddReverseProxy().LoadFromMemory([], []).AddCdnCache(configuration.GetSection("CdnEdge"));
        await using var app = builder.Build();

        var mistake = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("CdnEdge:Memory:MaxBytes:", mistake.Message, StringComparison.Ordinal);
        Assert.Contains("CdnEdge:Policies:slow:MinTtl:", mistake.Message, StringComparison.Ordinal);
        Assert.Contains("CdnEdge:Policies:slow:SetCookie:", mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_meter_counts_requests_by_outcome_and_says_how_full_memory_is()
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();
        builder.Services.AddReverseProxy()
            .LoadFromMemory([Server.Route(), Server.Route("/off", "off")], [Server.Cluster(origin)])
            .AddCdnCache(options => options.Policies["off"] = new CachePolicy { Enabled = false });
        var app = builder.Build();
        app.MapReverseProxy();
        await using var edge = await Server.StartAsync(app);
        var meters = edge.Services.GetRequiredService<IMeterFactory>();
        var counted = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            // Other tests of this process have meters of the same name; the factory is this application's.
            if (instrument.Meter.Name == "CdnEdge.Cache" && ReferenceEquals(instrument.Meter.Scope, meters))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var tag = tags.Length > 0 ? $" {tags[0].Key}={tags[0].Value}" : "";
            counted.AddOrUpdate(instrument.Name + tag, value, (_, sum) => sum + value);
        });
        listener.Start();

        await edge.GetAsync("/");
        await edge.GetAsync("/");
        await edge.GetAsync("/");
        await edge.GetAsync("/off");
        listener.RecordObservableInstruments();

        Assert.Equal(1, counted["cdnedge.cache.requests cdnedge.outcome=miss"]);
        Assert.Equal(2, counted["cdnedge.cache.requests cdnedge.outcome=hit"]);
        Assert.Equal(1, counted["cdnedge.cache.requests cdnedge.outcome=bypass"]);
        Assert.Equal(1, counted["cdnedge.cache.stored"]);
        Assert.Equal(1, counted["cdnedge.cache.memory.objects"]);
        Assert.InRange(counted["cdnedge.cache.memory.used"], 1, counted["cdnedge.cache.memory.limit"]);
    }
}
