using System.Globalization;

namespace CdnEdge.Security;

/// <summary>Strict-Transport-Security (RFC 6797 §6.1).</summary>
internal static class StrictTransport
{
    internal static string Field(HstsOptions options)
    {
        var field = string.Create(CultureInfo.InvariantCulture, $"max-age={(long)options.MaxAge.TotalSeconds}");
        if (options.IncludeSubDomains)
            field += "; includeSubDomains";
        return options.Preload ? field + "; preload" : field;
    }
}
