using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery.Configuration;

/// <summary>Reads the options of the cache from a section, in place of .NET's binder (see <see cref="ConfigurationReading"/> for why).</summary>
internal static class SectionOptionsExtensions
{
    /// <summary>
    /// Sets the options from the section, and again when it changes. Values of a wrong type are refused all at once;
    /// keys that the cache doesn't know are left to whoever shares the section with it.
    /// </summary>
    internal static OptionsBuilder<CdnCacheOptions> ReadFrom(this OptionsBuilder<CdnCacheOptions> builder, IConfiguration section)
    {
        builder.Services.AddSingleton<IOptionsChangeTokenSource<CdnCacheOptions>>(
            new ConfigurationChangeTokenSource<CdnCacheOptions>(builder.Name, section));
        return builder.Configure(options =>
        {
            var mistakes = new List<ConfigurationMistake>();
            ConfigurationReading.Into(section, mistakes, options);
            var refused = mistakes.Where(m => !m.IsUnknownKey).Select(m => m.ToString()).ToList();
            if (refused.Count > 0)
                throw new OptionsValidationException(builder.Name, typeof(CdnCacheOptions), refused);
        });
    }
}
