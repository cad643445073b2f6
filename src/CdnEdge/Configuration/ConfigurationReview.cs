using CdnEdge.Control;
using CdnEdge.Delivery;
using CdnEdge.Delivery.Compression;
using CdnEdge.Delivery.Configuration;
using CdnEdge.Security;
using CdnEdge.Tls;

namespace CdnEdge.Configuration;

/// <summary>Looks a whole configuration through before anything of it is put in force.</summary>
internal static class ConfigurationReview
{
    private const string EdgePath = "CdnEdge";
    private const string ProxyPath = "ReverseProxy";

    // Read by the host (the first three), by editors, or by the ASP.NET Core application that the file came from.
    private static readonly string[] Read = [EdgePath, ProxyPath, "Logging"];
    private static readonly string[] Ignored = ["$schema", "AllowedHosts", "Kestrel"];

    internal static async Task<ReviewedConfiguration> OfAsync(ConfigurationSource source, ConfigurationSource.FileContent file)
    {
        var errors = new List<string>();
        var warnings = new List<string>();
        var values = source.Values(file, out var syntax);
        if (syntax is not null)
        {
            // Nothing that is said about the rest would be true: it's as if the file were empty.
            return new ReviewedConfiguration
            {
                Name = source.Name,
                Values = values,
                Errors = [syntax],
                Warnings = [],
                Listen = [],
                Origin = null,
                Admin = new AdminOptions(),
                AdminListen = null,
                Purge = new PurgeOptions(),
                Cache = new CdnCacheOptions(),
                Routes = 0,
                Clusters = 0,
            };
        }

        var root = Root(values);
        ReviewTopLevel(root, errors, warnings);

        var mistakes = new List<ConfigurationMistake>();
        var (serve, cache) = (new ServeOptions(), new CdnCacheOptions());
        ConfigurationReading.Into(root.GetSection(EdgePath), mistakes, serve, cache);
        errors.AddRange(mistakes.Select(m => m.ToString()));
        errors.AddRange(CdnCacheOptionsValidation.Errors(EdgePath, cache, MemoryBound.Available, CompressionProviders.BuiltIn));
        var listen = ReviewListen(serve, errors);
        ReviewTls(serve.Tls, listen, errors, warnings);
        errors.AddRange(serve.Acme.Errors($"{EdgePath}:Acme"));
        var sites = ReviewSites(serve, errors);
        errors.AddRange(AdminOptionsValidation.Errors($"{EdgePath}:Admin", serve.Admin));
        errors.AddRange(serve.PurgeMethod.Errors($"{EdgePath}:PurgeMethod", serve.Admin));
        var adminListen = ReviewAdminListen(serve.Admin, listen, errors);
        ReviewPurge(serve.Purge, cache.Redis.Connection is not null, errors, warnings);

        if (!string.IsNullOrEmpty(serve.Origin))
        {
            if (ReviewOrigin(serve.Origin, root.GetSection(ProxyPath)) is { } mistake)
                errors.Add($"{ConfigurationSource.OriginKey}: {mistake}");
            else
                AddOrigin(values, serve.Origin);
            root = Root(values);
        }
        else if (!root.GetSection(ProxyPath).GetSection("Routes").GetChildren().Any())
        {
            errors.Add($"{ProxyPath}:Routes: no route, so nothing would be served; add one, or give an origin (--origin URL, {ConfigurationSource.OriginKey})");
        }

        var proxy = await ProxyReview.OfAsync(root.GetSection(ProxyPath), cache.Policies.Keys);
        return new ReviewedConfiguration
        {
            Name = source.Name,
            Values = values,
            Errors = [.. errors, .. proxy.Errors, .. new WayReview(cache, proxy.Clusters, listen).Errors(proxy.Routes)],
            Warnings = [.. warnings, .. proxy.Warnings],
            Listen = listen,
            Tls = serve.Tls,
            Acme = serve.Acme,
            Sites = sites,
            Limits = serve.Limits,
            Origin = string.IsNullOrEmpty(serve.Origin) ? null : serve.Origin,
            Admin = serve.Admin,
            PurgeMethod = serve.PurgeMethod,
            AdminListen = adminListen,
            Purge = serve.Purge,
            Cache = cache,
            Routes = proxy.Routes.Count,
            Clusters = proxy.Clusters.Count,
        };
    }

    private static IConfigurationRoot Root(Dictionary<string, string?> values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values).Build();

    private static void ReviewTopLevel(IConfiguration root, List<string> errors, List<string> warnings)
    {
        foreach (var section in root.GetChildren())
        {
            if (Read.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
            {
                if (!string.IsNullOrEmpty(section.Value))
                    errors.Add($"{section.Path}: an object belongs here, not '{section.Value}'");
            }
            else if (section.Key.Equals("Kestrel", StringComparison.OrdinalIgnoreCase))
            {
                warnings.Add($"{section.Path}: not read; the addresses to listen on are {ConfigurationSource.ListenKey}");
            }
            else if (NearestName.Of(section.Key, Read) is { } meant)
            {
                errors.Add($"{section.Path}: unknown section; did you mean '{meant}'?");
            }
            else if (!Ignored.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
            {
                warnings.Add($"{section.Path}: not read; the sections are {string.Join(", ", Read)}");
            }
        }
    }

    private static List<ListenAddress> ReviewListen(ServeOptions serve, List<string> errors)
    {
        var addresses = new List<ListenAddress>();
        for (var i = 0; i < serve.Listen.Count; i++)
        {
            var path = $"{ConfigurationSource.ListenKey}:{i}";
            if (!ListenAddress.TryParse(serve.Listen[i], out var address, out var mistake))
                errors.Add($"{path}: {mistake}");
            else if (addresses.Find(address.Overlaps) is { } other)
                errors.Add($"{path}: '{address}' is taken by '{other}' already");
            else
                addresses.Add(address);
        }

        if (serve.Listen.Count == 0)
            errors.Add($"{ConfigurationSource.ListenKey}: no address to listen on; leave it out for {ListenAddress.Default}");
        return addresses;
    }

    private static void ReviewTls(TlsOptions tls, List<ListenAddress> listen, List<string> errors, List<string> warnings)
    {
        const string path = $"{EdgePath}:Tls";
        errors.AddRange(TlsOptionsValidation.Errors(path, tls));
        var hasTls = listen.Exists(static address => address.IsTls);
        if (!hasTls && (tls.Folder is not null || tls.Certificates.Count > 0))
            warnings.Add($"{path}: not used; no address of {ConfigurationSource.ListenKey} is https://");
        else if (hasTls && tls.Folder is null && tls.Certificates.Count == 0)
            warnings.Add($"{path}: no certificate, so that clients get a self-signed one that browsers don't trust; name a Folder of PEM pairs, or Certificates");
    }

    private static SiteTable ReviewSites(ServeOptions serve, List<string> errors)
    {
        errors.AddRange(serve.Limits.Errors($"{EdgePath}:Limits"));
        var mistakes = SiteOptionsValidation.Errors($"{EdgePath}:Sites", serve.Sites).ToList();
        errors.AddRange(mistakes);
        return new SiteTable(mistakes.Count == 0 ? serve.Sites : [], serve.Limits);
    }

    private static ListenAddress? ReviewAdminListen(AdminOptions admin, List<ListenAddress> traffic, List<string> errors)
    {
        if (admin.IsOff)
            return null;
        const string path = ConfigurationSource.AdminListenKey;
        if (!ListenAddress.TryParse(admin.Listen, out var address, out var mistake))
            errors.Add($"{path}: {mistake}, or {AdminOptions.Off} for no admin API");
        else if (traffic.Find(address.Overlaps) is { } other)
            errors.Add($"{path}: '{address}' is taken by '{other}' of {ConfigurationSource.ListenKey}; the admin API has an address of its own");
        else if (!address.IsLoopback && !admin.HasCallers)
            errors.Add($"{path}: '{address}' can be reached from other machines, but no token is configured; make one (cdnedge token new), or listen on {AdminOptions.DefaultListen}");
        var hasTls = admin.Tls is { Certificate: not null } or { Key: not null } or { ClientCa: not null };
        if (address is { IsTls: true })
            errors.AddRange(AdminTls.Errors("CdnEdge:Admin:Tls", admin.Tls));
        else if (address is not null && hasTls)
            errors.Add($"{path}: '{address}' is without TLS, but CdnEdge:Admin:Tls is there; write https://, or leave that out");
        return address;
    }

    private static void ReviewPurge(PurgeOptions purge, bool hasRedis, List<string> errors, List<string> warnings)
    {
        const string path = $"{EdgePath}:Purge";
        errors.AddRange(purge.Errors(path, hasRedis));
        if (hasRedis && purge.LogFile is not null)
            warnings.Add($"{path}:LogFile: not used; with a Redis ({ConfigurationSource.RedisKey}) the log of purges is there");
    }

    private static string? ReviewOrigin(string origin, IConfigurationSection proxy)
    {
        var own = proxy.GetSection("Routes").GetChildren().Concat(proxy.GetSection("Clusters").GetChildren()).FirstOrDefault();
        if (own is not null)
            return $"an origin makes a configuration of one route, but this one has its own ({own.Path}); leave out one of them";
        return ProxyReview.MistakeInUrl(origin);
    }

    private static void AddOrigin(Dictionary<string, string?> values, string origin)
    {
        values["ReverseProxy:Routes:origin:ClusterId"] = "origin";
        values["ReverseProxy:Routes:origin:Match:Path"] = "/{**path}";
        values["ReverseProxy:Clusters:origin:Destinations:origin:Address"] = origin;
    }
}
