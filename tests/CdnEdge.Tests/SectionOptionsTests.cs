using CdnEdge.Delivery;
using CdnEdge.Delivery.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace CdnEdge.Tests;

public class SectionOptionsTests
{
    [Fact]
    public void Options_follow_their_section()
    {
        var configuration = Configuration(("CdnEdge:Policies:a:Methods:0", "GET"), ("CdnEdge:Listen:0", "http://*"));
        using var services = Services(configuration);
        var options = services.GetRequiredService<IOptionsMonitor<CdnCacheOptions>>();
        Assert.Equal(["GET"], options.CurrentValue.Policies["a"].Methods);

        configuration["CdnEdge:Policies:a:Methods:0"] = "HEAD";
        configuration.Reload();

        Assert.Equal(["HEAD"], options.CurrentValue.Policies["a"].Methods);
    }

    [Fact]
    public void Values_of_a_wrong_type_are_refused_all_at_once()
    {
        using var services = Services(Configuration(("CdnEdge:Memory:MaxBytes", "much"), ("CdnEdge:Policies:a:Enabled", "ja")));

        var refusal = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<CdnCacheOptions>>().Value);

        Assert.Equal(
            ["CdnEdge:Memory:MaxBytes: 'much' is not a whole number", "CdnEdge:Policies:a:Enabled: 'ja' is not true or false"],
            refusal.Failures);
    }

    private static IConfigurationRoot Configuration(params (string Key, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(v => v.Key, v => (string?)v.Value)).Build();

    private static ServiceProvider Services(IConfiguration configuration)
    {
        var services = new ServiceCollection();
        services.AddOptions<CdnCacheOptions>().ReadFrom(configuration.GetSection("CdnEdge"));
        return services.BuildServiceProvider();
    }
}
