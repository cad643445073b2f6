using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CdnEdge.Delivery.Guard;

/// <summary>Kestrel's settings that a node at the Internet's edge wants, which aren't its defaults or mustn't be changed.</summary>
internal static class KestrelHardening
{
    /// <summary>Kestrel's switch to take CRLF only for a line's end; it has no option for it.</summary>
    public const string LineFeedSwitch = "Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators";

    // For the whole process: Kestrel reads it when a server is made, which is after its options were configured.
    static KestrelHardening() => AppContext.SetSwitch(LineFeedSwitch, true);

    /// <summary>To be called from <c>PostConfigure&lt;KestrelServerOptions&gt;</c>, before the server is made.</summary>
    public static void Apply(KestrelServerOptions options)
    {
        // An absolute-form target with another host than Host is refused (RFC 9112 §3.2.2 lets a proxy choose the
        // target's; two readers of such a request may still choose differently).
        options.AllowHostHeaderOverride = false;
        options.AllowAlternateSchemes = false;
        options.AddServerHeader = false;

        var others = options.RequestHeaderEncodingSelector;
        options.RequestHeaderEncodingSelector = name => name switch
        {
            "Content-Length" => RequestFieldEncoding.ContentLength,
            "Connection" => RequestFieldEncoding.Connection,
            _ => others(name),
        };

        // Kestrel refuses to send what isn't ASCII; a value that came from an origin is handed on octet by octet.
        var responses = options.ResponseHeaderEncodingSelector;
        options.ResponseHeaderEncodingSelector = name => responses(name) ?? Encoding.Latin1;
    }
}
