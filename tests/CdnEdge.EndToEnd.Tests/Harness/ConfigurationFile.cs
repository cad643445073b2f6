namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>Configuration in a temporary file; who writes it deletes it.</summary>
internal static class ConfigurationFile
{
    internal static string Write(string json)
    {
        var path = Path.Combine(Path.GetTempPath(), $"cdnedge-test-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, json);
        return path;
    }
}
