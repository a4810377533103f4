-- Work for an interpreter: tables, strings, closures, integer and floating-point arithmetic. Prints what came of it.
local units = tonumber(arg[1])

local function permutations(n)
  local p, count, flips = {}, {}, 0
  for i = 1, n do p[i], count[i] = i, 0 end
  local i = 1
  while i <= n do
    if count[i] < i - 1 then
      local k = i % 2 == 1 and 1 or count[i] + 1
      p[k], p[i] = p[i], p[k]
      flips = (flips * 31 + p[1] * p[n]) % 1000003
      count[i] = count[i] + 1
      i = 1
    else
      count[i] = 0
      i = i + 1
    end
  end
  return flips
end

local function words(rounds)
  local seen, sum = {}, 0
  for i = 1, rounds do
    local word = string.format("%x", i * 2654435761 % 65536)
    seen[word] = (seen[word] or 0) + i
    if word:find("a[0-9]") then sum = sum + #word:gsub("a", "bb") end
  end
  local names = {}
  for name in pairs(seen) do names[#names + 1] = name end
  table.sort(names)
  return sum + #table.concat(names, ",")
end

local Tree = {}
Tree.__index = Tree
local function tree(depth)
  if depth == 0 then return setmetatable({ value = 1 }, Tree) end
  return setmetatable({ left = tree(depth - 1), right = tree(depth - 1), value = depth }, Tree)
end
function Tree:sum()
  return self.value + (self.left and self.left:sum() - self.right:sum() // 2 or 0)
end

local function series(terms)
  local sum = 0.0
  for i = 0, terms do sum = sum + (i % 2 == 0 and 1 or -1) / (2 * i + 1) end
  return sum
end

for unit = 1, units do
  print(unit, permutations(7), words(4000 + unit), tree(10):sum(), string.format("%.14f", series(50000)))
end
