using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CdnEdge.Configuration;

/// <summary>An address to listen on: <c>http://HOST:PORT</c> or <c>https://HOST:PORT</c>, where HOST is an IP address, <c>localhost</c> or <c>*</c>.</summary>
internal sealed record ListenAddress
{
    internal const string Default = "http://127.0.0.1:8080";

    private const string Form = "write http://HOST:PORT or https://HOST:PORT, where HOST is an IP address, localhost, or * for every interface";

    private ListenAddress(string url, string host, int port, bool isTls) => (Url, Host, Port, IsTls) = (url, host, port, isTls);

    internal string Url { get; }

    internal string Host { get; }

    internal int Port { get; }

    /// <summary>An <c>https://</c> address.</summary>
    internal bool IsTls { get; }

    /// <summary>Only programs on this machine can connect to it.</summary>
    internal bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    public override string ToString() => Url;

    /// <summary>Whether both would claim the same port of the same interface.</summary>
    internal bool Overlaps(ListenAddress other) =>
        Port == other.Port && Port != 0
        && (Host == other.Host || Host == "*" || other.Host == "*");

    /// <summary>Makes Kestrel listen here.</summary>
    /// <param name="kestrel">Kestrel's options.</param>
    /// <param name="configure">How to listen.</param>
    internal void AddTo(KestrelServerOptions kestrel, Action<ListenOptions> configure)
    {
        if (Host == "*")
            kestrel.ListenAnyIP(Port, configure);
        else if (Host == "localhost")
            kestrel.ListenLocalhost(Port, configure);
        else
            kestrel.Listen(IPAddress.Parse(Host), Port, configure);
    }

    /// <param name="text">The address.</param>
    /// <param name="address">What it says.</param>
    /// <param name="mistake">What is wrong with it.</param>
    /// <returns>False, with what is wrong, for anything else.</returns>
    internal static bool TryParse(string text, [NotNullWhen(true)] out ListenAddress? address, [NotNullWhen(false)] out string? mistake)
    {
        (address, mistake) = (null, null);
        BindingAddress parsed;
        try
        {
            parsed = BindingAddress.Parse(text);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            mistake = $"'{text}' is not a URL; {Form}";
            return false;
        }

        var host = parsed.Host is "+" or "0.0.0.0" or "[::]" ? "*" : parsed.Host.Trim('[', ']').ToLowerInvariant();
        var isTls = parsed.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase);
        if (!isTls && !parsed.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase) || parsed.IsUnixPipe || parsed.IsNamedPipe)
            mistake = $"'{text}' is not an http:// or https:// URL; {Form}";
        else if (parsed.PathBase.Length > 0)
            mistake = $"'{text}' has a path, which an address to listen on can't have; {Form}";
        else if (parsed.Port is < 0 or > 65535)
            mistake = $"'{text}' has a port outside 0 to 65535; {Form}";
        else if (host is not ("*" or "localhost") && !IPAddress.TryParse(host, out _))
            mistake = $"'{text}' names a host that is not an address of this machine; {Form}";
        else if (host == "localhost" && parsed.Port == 0)
            mistake = $"'{text}' asks for any free port, which takes an IP address such as http://127.0.0.1:0";
        if (mistake is not null)
            return false;

        address = new ListenAddress(text, host, parsed.Port, isTls);
        return true;
    }
}
