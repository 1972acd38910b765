"""The sanitiser: takes out of free text what leads to the caller or another private person.

The rooms, in the order in which a text passes them:

- `reading`: the text normalised and in tokens, with the way back to the code points as sent; `lexicon` and
  `gazetteers/`: the flags of the tokens;
- `mentions`: persons' names wherever they stand, by `cues` (the words before them) and by `capitals`, rules that
  `walk` over the tokens; `placing`: police or private, by the words beside a mention; `persons`: the mentions of
  all fields grouped into persons;
- `birth`, `codes`, `identity`, `numbers`, `spoken`, `online`, `vehicles`, `addresses`, `homes`,
  `affiliations`, `whereabouts`: all other traces, each a pure function from a `Reading` to spans;
- `languages`, `opinion`, `doubts`: the reasons for which a person should look;
- `markers`: what stands in the place of a trace; `text`: all of it together, and what may stay in which field;
- `free_text`: the type of a field that is sanitised as it is read;
- `evaluation`, `training`, `gazetteers.build`: the commands that measure, fit the second opinion and build the
  gazetteers.

No recogniser raises; each takes time linear in the length of the text: every repetition is bounded, or starts at a
place where no other attempt has been. What nothing makes police is masked.
"""
