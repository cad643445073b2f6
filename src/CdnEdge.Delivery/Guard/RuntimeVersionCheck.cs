using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Refuses a runtime whose Kestrel accepts a bare LF inside a chunk extension (CVE-2025-55315, request smuggling):
/// mended in 8.0.21, 9.0.10 and 10.0.0-rc.2.
/// </summary>
internal static class RuntimeVersionCheck
{
    private const string InsecureSwitch = "Microsoft.AspNetCore.Server.Kestrel.EnableInsecureChunkedRequestParsing";

    /// <summary>Why this process must not serve, or null.</summary>
    public static string? Refusal() =>
        AppContext.TryGetSwitch(InsecureSwitch, out var insecure) && insecure
            ? $"The runtime switch {InsecureSwitch} brings CVE-2025-55315 (request smuggling) back; remove it."
            : Refusal(typeof(KestrelServerOptions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);

    /// <summary>Why a Kestrel of this informational version (<c>10.0.0-rc.1.25451.107+hash</c>) must not serve, or null.</summary>
    public static string? Refusal(string? informationalVersion) =>
        IsMended(informationalVersion)
            ? null
            : $"ASP.NET Core {informationalVersion ?? "(unknown version)"} is open to request smuggling (CVE-2025-55315): "
                + "use 10.0.0-rc.2, 9.0.10, 8.0.21 or newer.";

    private static bool IsMended(string? text)
    {
        if (text is null) return false;

        var build = text.IndexOf('+', StringComparison.Ordinal);
        if (build >= 0) text = text[..build];
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var label = dash >= 0 ? text[(dash + 1)..] : "";
        if (!Version.TryParse(dash >= 0 ? text[..dash] : text, out var version)) return false;

        return version.Major switch
        {
            < 8 => false,
            8 => version >= new Version(8, 0, 21),
            9 => version >= new Version(9, 0, 10),
            10 => version > new Version(10, 0, 0) || IsMendedCandidate(label),
            _ => true,
        };
    }

    // 10.0.0 itself, its release builds (rtm, servicing) and candidates from the second on.
    private static bool IsMendedCandidate(string label)
    {
        if (label.Length == 0) return true;

        var parts = label.Split('.');
        return parts[0] switch
        {
            "rtm" or "servicing" => true,
            "rc" => parts.Length > 1 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 2,
            _ => false,
        };
    }
}
