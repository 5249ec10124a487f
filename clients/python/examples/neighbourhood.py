# %% [markdown]
# # How does the neighbourhood sleep?
#
# A node that may ask has to run on this machine (`commonhold up`); `neighbourhood.py FOLDER` names it where there are several.
# The community's vocabulary decides what can be asked: the cells below take what there is. Nothing here sees anybody's data:
# answers are totals over a crowd, each with a proof.

# %% The node, and what can be asked about
import sys

from commonhold import CommonholdError, Node

node = Node.open(sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None)
status = node.status()
print(f"{status.community.name}: {status.peers_known} other members are known")
for problem in status.problems:
    print(f"  {problem.what}; {problem.what_to_do}")
for table in node.vocabulary():
    print(f"  {table.name}: {', '.join(column.name for column in table.columns)}")

# %% A number, and what to group it by
table = next(table for table in node.vocabulary() if any(column.kind == "number" for column in table.columns))
number = next(column.name for column in table.columns if column.kind == "number")
groups = [column.name for column in table.columns if column.kind == "category"]

sql = f'SELECT AVG("{number}") FROM "{table.name}"'
if groups:
    sql += f' GROUP BY "{groups[0]}"'
print(sql)

# %% Ask. With a deadline such as "2d" people have time to decide; without one, those answer who have rules.
question = node.ask(sql, purpose="an example: what the neighbourhood has in common")
try:
    answer = question.answer(timeout=120)
except CommonholdError as why:
    sys.exit(f"{why.error}\nwhat to do: {why.what_to_do}")
print(answer.summary)
print(answer.people)

# %% As a table: `question.to_frame()` where pandas is installed
rows = answer.rows()
for row in rows:
    print("  ".join(f"{name}: {value}" for name, value in row.items()))

# %% Whom to believe: the proof, checked once more from its file alone, and what can still go wrong
checked = node.check(question.id)
print(f"the proof holds: {checked.holds}, by {checked.signatures} signatures")
print(f"a value seen by colluders: {answer.details.privacy:.2g}, a wrong answer: {answer.details.wrong:.2g}")

# %% As a picture
try:
    import matplotlib.pyplot as plt
except ImportError:
    sys.exit("for the picture: pip install matplotlib")

if groups:
    means = {str(row[groups[0]]): row["mean"] for row in rows if row.get("mean") is not None}
else:
    means = {"everybody": row["value"] for row in rows if row["figure"] == "mean"}
figure, axes = plt.subplots()
axes.bar(list(means), [float(mean or 0) for mean in means.values()])
axes.set_ylabel(f"mean {number}")
axes.set_title(f"{answer.details.count} people of {status.community.name}")
figure.savefig("neighbourhood.png")
print("drawn: neighbourhood.png")
