using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CdnEdge.Hosting;

/// <summary>
/// Refuses runtimes whose Kestrel takes a bare LF inside a chunk extension for the end of the line (CVE-2025-55315):
/// behind such a one, requests can be smuggled. Fixed in 10.0.0-rc.2.
/// </summary>
internal static class RuntimeRequirement
{
    /// <returns>Why this process may not serve; null if it may.</returns>
    internal static string? Refusal() =>
        Refusal(typeof(KestrelServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);

    /// <param name="version">Kestrel's version as it names itself: <c>10.0.0-rc.1.25451.107+b0f34d51</c>.</param>
    internal static string? Refusal(string? version)
    {
        var plain = version?.Split('+')[0] ?? "";
        var dash = plain.IndexOf('-', StringComparison.Ordinal);
        var label = dash < 0 ? "" : plain[(dash + 1)..];
        if (Version.TryParse(dash < 0 ? plain : plain[..dash], out var release)
            && (release > new Version(10, 0, 0) || (release == new Version(10, 0, 0) && !IsVulnerablePreview(label))))
        {
            return null;
        }

        return $"the ASP.NET Core runtime {(plain.Length == 0 ? "(unknown version)" : plain)} has a request smuggling hole (CVE-2025-55315); install 10.0.0 or newer";
    }

    private static bool IsVulnerablePreview(string label) =>
        label.Length > 0
        && !(label.StartsWith("rc.", StringComparison.Ordinal) && !label.StartsWith("rc.1.", StringComparison.Ordinal))
        && !label.StartsWith("rtm", StringComparison.Ordinal)
        && !label.StartsWith("servicing", StringComparison.Ordinal);
}
