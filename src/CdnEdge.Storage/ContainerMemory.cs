using System.Globalization;

namespace CdnEdge.Storage;

/// <summary>The memory that the container leaves to this process: the tightest limit of its control groups (cgroup v2 or v1).</summary>
/// <remarks>
/// .NET reads the same files but tells only the share that it gives to its own heap, three quarters by default; bodies
/// live outside that heap.
/// </remarks>
internal static class ContainerMemory
{
    // Version 1 says "no limit" by the largest multiple of a page; nothing this large is a limit.
    private const long NoLimit = 1L << 60;

    /// <summary>Bytes; null where there's no limit (or no control groups).</summary>
    /// <param name="root">The file system's root; another one in tests.</param>
    internal static long? Limit(string root = "/")
    {
        var membership = Path.Combine(root, "proc/self/cgroup");
        if (!File.Exists(membership))
        {
            return null;
        }

        long? limit = null;
        foreach (var line in File.ReadLines(membership))
        {
            // hierarchy-ID:controllers:path; version 2 has hierarchy 0 and names no controllers.
            var parts = line.Split(':', 3);
            if (parts is ["0", "", var unified])
            {
                limit = Tightest(limit, Path.Combine(root, "sys/fs/cgroup"), unified, "memory.max");
            }
            else if (parts is [_, var controllers, var path] && controllers.Split(',').Contains("memory"))
            {
                limit = Tightest(limit, Path.Combine(root, "sys/fs/cgroup/memory"), path, "memory.limit_in_bytes");
            }
        }

        return limit;
    }

    /// <summary>The group's own limit and those of the groups around it; one that isn't mounted here is passed over.</summary>
    private static long? Tightest(long? limit, string mount, string group, string file)
    {
        for (var path = group.Trim('/'); ; path = path.Contains('/', StringComparison.Ordinal) ? path[..path.LastIndexOf('/')] : "")
        {
            var source = Path.Combine(mount, path, file);
            if (File.Exists(source)
                && long.TryParse(File.ReadAllText(source).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
                && bytes < Math.Min(limit ?? NoLimit, NoLimit))
            {
                limit = bytes;
            }

            if (path.Length == 0)
            {
                return limit;
            }
        }
    }
}
