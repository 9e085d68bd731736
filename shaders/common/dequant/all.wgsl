// fn dequant(g, c, r): the 32 weights of chunk c of row r of row group g, by the format of the variant.
@if(FORMAT_F32 || FORMAT_F16 || FORMAT_BF16)
import common/dequant/float;
@if(FORMAT_Q4 || FORMAT_Q5 || FORMAT_Q8)
import common/dequant/block;
@if(FORMAT_IQ4 || FORMAT_MXFP4)
import common/dequant/code;
@if(FORMAT_Q4K || FORMAT_Q5K)
import common/dequant/super32;
@if(FORMAT_Q6K || FORMAT_Q3K || FORMAT_Q2K)
import common/dequant/super16;
