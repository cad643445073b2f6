using CdnEdge.Caching;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery;

/// <summary>Finds every mistake in the options, each named by its configuration path.</summary>
internal sealed class CdnCacheOptionsValidator : IValidateOptions<CdnCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, CdnCacheOptions options)
    {
        var errors = Errors("CdnEdge", options).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    /// <param name="path">Configuration path of the options: <c>CdnEdge</c>.</param>
    internal static IEnumerable<string> Errors(string path, CdnCacheOptions options)
    {
        if (!IsToken(options.Name))
        {
            yield return $"{path}:Name: '{options.Name}' is no token; use letters, digits and any of !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2).";
        }

        if (options.Memory.MaxBytes is <= 0)
        {
            yield return $"{path}:Memory:MaxBytes: {options.Memory.MaxBytes} is not positive; give the bound in bytes, or leave it out for a quarter of the memory.";
        }

        foreach (var (policyName, policy) in options.Policies)
        {
            foreach (var error in CachePolicyValidation.Errors($"{path}:Policies:{policyName}", policy))
            {
                yield return error;
            }
        }

        foreach (var error in Upstream.ForwardingOptionsValidation.Errors($"{path}:Forwarding", options.Forwarding))
        {
            yield return error;
        }
    }

    private static bool IsToken(string? text) =>
        !string.IsNullOrEmpty(text) && text.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));
}
