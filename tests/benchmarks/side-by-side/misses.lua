-- wrk: no request twice. The one argument is a word that no other run uses.
dofile(debug.getinfo(1, "S").source:match("^@(.*)misses%.lua$") .. "figures.lua")

local before, after
local count = 0

function init(args)
    local template = wrk.format(nil, wrk.path .. "?" .. args[1] .. "-\0")
    local hole = template:find("\0", 1, true)
    before, after = template:sub(1, hole - 1), template:sub(hole + 1)
end

function request()
    count = count + 1
    return before .. count .. after
end
